/** Wishes for models are answered when they are written down, and a server that stops takes none. */
import type { AppContext } from './context.ts'
import { Overloaded } from './errors.ts'
import { orOverloaded } from './or-overloaded.ts'
import { saveSnapshot } from './snapshots.ts'
import type { WantedModel, WantedModels } from './wanted-models.ts'

/** A wish that could not be written down does not stand. */
export async function changeWishes(
  context: AppContext,
  wishes: WantedModels,
  change: () => void,
): Promise<Overloaded | null> {
  const before = wishes.all()
  change()
  const after = wishes.all()
  const unsaved = await orOverloaded(saveSnapshot(context))
  if (!unsaved) return null
  // Others may have changed theirs meanwhile.
  for (const { versionId, deviceId } of after.filter(isMissingFrom(before))) wishes.dropOne(versionId, deviceId)
  for (const { versionId, deviceId } of before.filter(isMissingFrom(after))) wishes.add(versionId, deviceId)
  return unsaved
}

function isMissingFrom(wishes: readonly WantedModel[]) {
  return (wish: WantedModel) =>
    !wishes.some(({ versionId, deviceId }) => versionId === wish.versionId && deviceId === wish.deviceId)
}

export function drainingRefusal(): Overloaded {
  return new Overloaded('draining', 1000, 'The server is shutting down; try again when it is back.')
}
