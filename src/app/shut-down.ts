/** The end of a server, in order: nothing new, what runs may finish, what does not is saved and kept for the next start. */
import type { WorkerPool } from '../runtime/workers/worker-pool.ts'
import type { TaskId } from '../scheduler/ids.ts'
import type { JobState } from '../store/records.ts'
import type { AppContext } from './context.ts'
import type { Decisions } from './decisions.ts'
import type { HistoryKeeper } from './history.ts'
import type { JobCommands } from './job-commands.ts'
import type { ModelEvents } from './model-events.ts'
import { saveSnapshot } from './snapshots.ts'

/** How often it is looked whether what is waited for has come. */
const lookEveryMs = 20
/** Of the grace, so much is left to readers: time for their last events and for a proper goodbye. */
const closeDoorsMsMax = 1000
/** And so much to workers, that end their running steps and save the states of their tasks. */
const saveStatesMsMax = 2000
/** A short grace is shared between work, its states and readers. */
const closeDoorsShare = 0.1
const saveStatesShare = 0.25

export interface ShutDownParts {
  readonly context: AppContext
  readonly pool: WorkerPool
  readonly jobs: JobCommands
  readonly models: ModelEvents
  readonly decisions: Decisions
  readonly history: HistoryKeeper
  /** Ends connections within so many milliseconds. */
  readonly closeDoors: (withinMs: number) => Promise<void>
  /** For everything but the last commit, in milliseconds. */
  readonly graceMs: number
}

/** Rejects when something could not be written or ended in order; the store is closed all the same. */
export async function shutDown(parts: ShutDownParts): Promise<void> {
  const { context, history } = parts
  try {
    await endWork(parts)
  } finally {
    context.shell.stop()
    // While commits fail only `close` ends the wait for this one, by a last try. The rejection is kept until then.
    const saved = Promise.all([saveSnapshot(context), history.keepLast()]).then(
      () => null,
      (error: unknown) => ({ error }),
    )
    await context.store.close()
    const refused = await saved
    // oxlint-disable-next-line no-unsafe-finally -- what was not written matters more than a door that did not close.
    if (refused) throw refused.error
  }
}

async function endWork({ context, pool, jobs, models, decisions, closeDoors, graceMs }: ShutDownParts): Promise<void> {
  const endAt = performance.now() + graceMs
  const closeDoorsMs = Math.min(closeDoorsMsMax, graceMs * closeDoorsShare)
  const workEndAt = endAt - closeDoorsMs
  const saveAt = workEndAt - Math.min(saveStatesMsMax, graceMs * saveStatesShare)
  context.shell.drain()
  while (runningJobs(context) > context.artifacts.waiting && performance.now() < saveAt) await pause()
  await statesSaved(context, pool, workEndAt)
  // What still runs goes back into the queue as its worker ends, and is taken up at the next start.
  await pool.close(workEndAt - performance.now())
  await outputsWritten(context, jobs, workEndAt)
  await lastEventsShown(context, endAt - closeDoorsMs / 2)
  models.close()
  decisions.close()
  await closeDoors(Math.max(lookEveryMs, endAt - performance.now()))
}

/** Of tasks that were not done in time. A program that cannot save says nothing, so the wait may last until its end. */
async function statesSaved({ shell, checkpoints }: AppContext, pool: WorkerPool, until: number): Promise<void> {
  const isRunning = (taskId: TaskId) => shell.state.tasks.get(taskId)?.state === 'started'
  for (const { workerId, tasks } of shell.state.workers.values()) {
    const running = Array.from(tasks, ({ taskId }) => taskId).filter(isRunning)
    if (running.length === 0) continue
    for (const taskId of running) checkpoints.awaited.add(taskId)
    pool.checkpoint(workerId, running)
  }
  while ([...checkpoints.awaited].some(isRunning) && performance.now() < until) await pause()
}

/** What has run is written; what waits for room on the disk is told that it will not come, and runs again after the next start. */
async function outputsWritten({ artifacts }: AppContext, jobs: JobCommands, until: number): Promise<void> {
  while (jobs.finishing > artifacts.waiting && performance.now() < until) await pause()
  artifacts.close()
  while (jobs.finishing > 0 && performance.now() < until) await pause()
}

/** Readers are shown what is committed; after the last commit they get one more turn. A disk that is full keeps nobody waiting. */
async function lastEventsShown({ store }: AppContext, until: number): Promise<void> {
  do await pause()
  while (store.metrics.accepting && store.metrics.queuedOperations > 0 && performance.now() < until)
  await pause()
}

function runningJobs({ live }: AppContext): number {
  let running = 0
  for (const id of live.ids()) if (isActive(live.get(id)?.record.state)) running += 1
  return running
}

function isActive(state: JobState | undefined): boolean {
  return state === 'RUNNING' || state === 'POSTPROCESSING'
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, lookEveryMs))
}
