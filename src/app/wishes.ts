/** Wishes for models are answered when they are written down, and a server that stops takes none. */
import type { AppContext } from './context.ts'
import { Overloaded } from './errors.ts'
import { orOverloaded } from './or-overloaded.ts'
import { saveSnapshot } from './snapshots.ts'
import type { WantedModels } from './wanted-models.ts'

/** A wish that could not be written down does not stand. */
export async function changeWishes(
  context: AppContext,
  wishes: WantedModels,
  change: () => void,
): Promise<Overloaded | null> {
  const before = wishes.all()
  change()
  const saved = await orOverloaded(saveSnapshot(context))
  if (!saved) return null
  wishes.reset(before)
  return saved
}

export function drainingRefusal(): Overloaded {
  return new Overloaded('draining', 1000, 'The server is shutting down; try again when it is back.')
}
