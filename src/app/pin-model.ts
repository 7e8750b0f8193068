/** Pinning: what is pinned is loaded and is not evicted, until it is unpinned, also after a restart. A pin that could not be kept is refused. */

import type { DeviceId } from '../scheduler/ids.ts'
import type { PinProblem } from '../scheduler/pins/pins.ts'
import type { ModelRecord } from '../store/records.ts'
import type { CatalogueEntry } from './catalogue.ts'
import type { AppContext } from './context.ts'
import { type Conflict, ModelTooLarge, NotFound, type Overloaded } from './errors.ts'
import { refusedModel } from './refused-model.ts'
import { tooLarge } from './too-large.ts'
import { changeWishes, drainingRefusal } from './wishes.ts'

/** `deviceId` null: pinned on any device; unpinned everywhere. */
export async function pinModel(
  context: AppContext,
  model: string,
  deviceId: DeviceId | null,
  pinned: boolean,
): Promise<ModelRecord | NotFound | Conflict | Overloaded | ModelTooLarge> {
  const { catalogue, shell, pins } = context
  const entry = catalogue.resolve(model)
  if (!entry) return new NotFound('Model', model)
  if (deviceId !== null && !shell.hasDevice(deviceId)) return new NotFound('Device', deviceId)
  if (shell.draining) return drainingRefusal()
  const event = { type: 'pinRequested', versionId: entry.version.id, deviceId, pinned } as const
  if (pinned) {
    if (!entry.spec) return refusedModel(entry)
    const problem = shell.pinProblem(entry.version.id, deviceId)
    // The scheduler refuses it too, so that its decisions tell.
    if (problem) shell.feed(event)
    const refusal = tooLarge(context, entry) ?? (problem && unpinnable(context, entry, deviceId, problem))
    if (refusal) return refusal
  }
  const change = () => (pinned ? pins.add(event.versionId, deviceId) : pins.drop(event.versionId, deviceId))
  const refused = await changeWishes(context, pins, change)
  if (refused) return refused
  shell.feed(event)
  return entry.model
}

function unpinnable(
  { catalogue, shell, pins }: AppContext,
  { model }: CatalogueEntry,
  deviceId: DeviceId | null,
  { neededBytes, availableBytes }: PinProblem,
): ModelTooLarge {
  const where = deviceId === null ? 'the best device' : (shell.state.devices.get(deviceId)?.spec.name ?? 'the device')
  const others = new Set(
    pins
      .all()
      .filter((pin) => deviceId === null || pin.deviceId === null || pin.deviceId === deviceId)
      .flatMap(({ versionId }) => catalogue.version(versionId)?.model.name ?? []),
  )
  const beside = others.size > 0 ? `beside ${[...others].join(', ')}, pinned already, ${where} has` : `${where} has`
  return new ModelTooLarge(
    `${model.name} cannot be pinned: it needs ${mib(neededBytes)}, and ${beside} ${mib(availableBytes)} for weights.`,
    neededBytes,
    availableBytes,
    others.size > 0
      ? 'Unpin another model, or pin this one on another device.'
      : 'Raise the memory limit of the device.',
  )
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`
}
