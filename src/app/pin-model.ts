/** Pinning: what is pinned is loaded and is not evicted, until it is unpinned, also after a restart. A pin that could not be kept is refused. */

import type { DeviceId, VersionId } from '../scheduler/ids.ts'
import type { PinProblem } from '../scheduler/pins/pins.ts'
import type { ModelRecord } from '../store/records.ts'
import type { CatalogueEntry } from './catalogue.ts'
import type { AppContext } from './context.ts'
import { type Conflict, ModelTooLarge, NotFound, type Overloaded } from './errors.ts'
import { orOverloaded } from './or-overloaded.ts'
import { refusedModel } from './refused-model.ts'
import { saveSnapshot } from './snapshots.ts'
import { tooLarge } from './too-large.ts'
import { drainingRefusal } from './wishes.ts'

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
  if (!pinned) return unpin(context, entry, deviceId)
  if (!entry.spec) return refusedModel(entry)
  const problem = shell.pinProblem(entry.version.id, deviceId)
  const misfit = tooLarge(context, entry)
  // The scheduler refuses it too, so that its decisions tell. Who asks at the same time is judged with this pin in place.
  if (problem || !misfit) shell.feed({ type: 'pinRequested', versionId: entry.version.id, deviceId, pinned: true })
  const refusal = misfit ?? (problem && unpinnable(context, entry, deviceId, problem))
  if (refusal) return refusal
  const isNew = !pins.has(entry.version.id, deviceId)
  pins.add(entry.version.id, deviceId)
  const unsaved = await orOverloaded(saveSnapshot(context))
  if (unsaved && isNew) takeBack(context, entry.version.id, deviceId)
  return unsaved ?? entry.model
}

async function unpin(
  context: AppContext,
  { model, version }: CatalogueEntry,
  deviceId: DeviceId | null,
): Promise<ModelRecord | Overloaded> {
  const { shell, pins } = context
  const kept = () => shell.state.versions.get(version.id)?.pins ?? []
  const wished = pins.all().filter(({ versionId }) => versionId === version.id)
  const hadRoaming = kept().includes(null)
  shell.feed({ type: 'pinRequested', versionId: version.id, deviceId, pinned: false })
  pins.drop(version.id, deviceId)
  if (hadRoaming && !kept().includes(null)) pins.dropOne(version.id, null)
  const unsaved = await orOverloaded(saveSnapshot(context))
  if (!unsaved) return model
  for (const wish of wished.filter((each) => !pins.has(version.id, each.deviceId))) {
    pins.add(version.id, wish.deviceId)
    shell.feed({ type: 'pinRequested', versionId: version.id, deviceId: wish.deviceId, pinned: true })
  }
  return unsaved
}

/** What could not be written down does not stand. Unpinned on no device in particular is unpinned everywhere, so the others are pinned again. */
function takeBack({ shell, pins }: AppContext, versionId: VersionId, deviceId: DeviceId | null): void {
  const others = (shell.state.versions.get(versionId)?.pins ?? []).filter((pin) => pin !== deviceId)
  pins.dropOne(versionId, deviceId)
  shell.feed({ type: 'pinRequested', versionId, deviceId: null, pinned: false })
  for (const other of others) shell.feed({ type: 'pinRequested', versionId, deviceId: other, pinned: true })
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
