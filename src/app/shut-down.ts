/** The end of a server, in order: nothing new, what runs may finish, what does not is kept for the next start. */
import type { WorkerPool } from '../runtime/workers/worker-pool.ts'
import type { AppContext } from './context.ts'
import type { ModelEvents } from './model-events.ts'
import { saveSnapshot } from './snapshots.ts'

/** How often it is looked whether the running jobs have ended. */
const lookEveryMs = 20
/** Readers get their last events within this. */
const closeDoorsMs = 1000

export interface ShutDownParts {
  readonly context: AppContext
  readonly pool: WorkerPool
  readonly models: ModelEvents
  /** Ends connections within so many milliseconds. */
  readonly closeDoors: (withinMs: number) => Promise<void>
  readonly graceMs: number
}

export async function shutDown({ context, pool, models, closeDoors, graceMs }: ShutDownParts): Promise<void> {
  const { shell, store, clock } = context
  shell.drain()
  const deadline = clock.now() + graceMs
  while (runningJobs(context) > 0 && clock.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  models.close()
  await closeDoors(closeDoorsMs)
  // What still runs goes back into the queue as its worker ends, and is taken up at the next start.
  await pool.close()
  shell.stop()
  await saveSnapshot(context)
  await store.close()
}

function runningJobs({ live }: AppContext): number {
  let running = 0
  for (const id of live.ids()) if (live.get(id)?.record.state === 'RUNNING') running += 1
  return running
}
