/** Asking for a model to be loaded or unloaded. The answer says that the wish stands, also over a restart; `modelEvents` and `residencies` show it happen. */
import type { DeviceId, VersionId } from '../scheduler/ids.ts'
import { isPinned } from '../scheduler/pins/pins.ts'
import { deviceOf, type LiveResidency } from '../scheduler/state.ts'
import type { ModelRecord } from '../store/records.ts'
import type { AppContext } from './context.ts'
import { Conflict, InvalidInput, type ModelTooLarge, NotFound, type Overloaded } from './errors.ts'
import { refusedModel } from './refused-model.ts'
import { tooLarge } from './too-large.ts'
import { changeWishes, drainingRefusal } from './wishes.ts'

export async function loadModel(
  context: AppContext,
  model: string,
  deviceId: DeviceId | null,
  component: string | null,
): Promise<ModelRecord | InvalidInput | NotFound | Conflict | Overloaded | ModelTooLarge> {
  const entry = context.catalogue.resolve(model)
  if (!entry) return new NotFound('Model', model)
  if (!entry.spec) return refusedModel(entry)
  if (component !== null && !entry.components.some(({ name }) => name === component)) {
    return new InvalidInput([
      {
        path: 'component',
        message: `${entry.model.name} has the components ${entry.components.map(({ name }) => name).join(', ')}; given: ${JSON.stringify(component)}.`,
      },
    ])
  }
  if (deviceId !== null && !context.shell.hasDevice(deviceId)) return new NotFound('Device', deviceId)
  if (context.shell.draining) return drainingRefusal()
  const misfit = tooLarge(context, entry)
  if (misfit) return misfit
  const refused = await changeWishes(context, context.wanted, () => context.wanted.add(entry.version.id, deviceId))
  if (refused) return refused
  context.shell.feed({ type: 'loadRequested', versionId: entry.version.id, deviceId })
  return entry.model
}

export async function unloadModel(
  context: AppContext,
  model: string,
  deviceId: DeviceId | null,
): Promise<ModelRecord | NotFound | Conflict | Overloaded> {
  const entry = context.catalogue.resolve(model)
  if (!entry) return new NotFound('Model', model)
  if (deviceId !== null && !context.shell.hasDevice(deviceId)) return new NotFound('Device', deviceId)
  if (context.shell.draining) return drainingRefusal()
  const pinnedOn = deviceWherePinned(context, entry.version.id, deviceId)
  if (pinnedOn !== null)
    return new Conflict(`${entry.model.name} is pinned on ${pinnedOn}; unpin it first: pinModel with pinned: false.`)
  const refused = await changeWishes(context, context.wanted, () => context.wanted.remove(entry.version.id, deviceId))
  if (refused) return refused
  context.shell.feed({ type: 'unloadRequested', versionId: entry.version.id, deviceId })
  return entry.model
}

/** `deviceId` null = any. */
function deviceWherePinned({ shell }: AppContext, versionId: VersionId, deviceId: DeviceId | null): string | null {
  const copies = shell.state.versions.get(versionId)?.residencies ?? []
  const isThere = (copy: LiveResidency) => deviceId === null || deviceOf(copy).spec.deviceId === deviceId
  const pinned = copies.find((copy) => isThere(copy) && isPinned(copy))
  return pinned ? deviceOf(pinned).spec.name : null
}
