/**
 * What is kept no longer: finished jobs by age and by the size of the database, artifacts by age since their last use and by the size of their files,
 * decisions and closed allocations by age and number.
 * Small steps with pauses between them, oldest first; a file goes after the commit that removed the last row of its content.
 */
import type { DeletedJobs } from '../store/retention.ts'
import { StoreClosed } from '../store/store.ts'
import type { AppContext } from './context.ts'

export type RetentionContext = Pick<AppContext, 'clock' | 'store' | 'live' | 'artifacts'> & {
  readonly config: Pick<
    AppContext['config'],
    | 'HEARTH_JOB_RETENTION_DAYS'
    | 'HEARTH_DATABASE_LIMIT_BYTES'
    | 'HEARTH_ARTIFACT_RETENTION_DAYS'
    | 'HEARTH_ARTIFACT_LIMIT_BYTES'
    | 'HEARTH_HISTORY_DAYS'
    | 'HEARTH_HISTORY_ROWS'
    | 'HEARTH_RETENTION_INTERVAL_MS'
  >
}

const dayMs = 86_400_000
/** Whatever the sizes are, what ended or was used so lately stays: somebody is about to read it. */
const keptAtLeastMs = 60_000
/** Between two steps, so that commits of jobs come first. */
const pauseMs = 50
/** Fewer free pages are left for what is written next. */
const freePagesKept = 256

/** Ends with `signal`. A round that fails is logged by `onFailed`, and the next one tries again. */
export function keepRetention(
  context: RetentionContext,
  signal: AbortSignal,
  onFailed: (error: unknown) => void,
): void {
  let isRunning = false
  const timer = setInterval(() => {
    if (isRunning) return
    isRunning = true
    tidyUp(context, signal)
      .catch((error: unknown) => {
        if (!(error instanceof StoreClosed)) onFailed(error)
      })
      .finally(() => (isRunning = false))
  }, context.config.HEARTH_RETENTION_INTERVAL_MS)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer))
}

/** One round. */
export async function tidyUp(context: RetentionContext, signal: AbortSignal): Promise<void> {
  await deleteJobs(context, signal)
  await deleteArtifacts(context, signal)
  await deleteHistory(context, signal)
  await giveBackPages(context, signal)
}

async function deleteJobs(
  { config, clock, store, live, artifacts }: RetentionContext,
  signal: AbortSignal,
): Promise<void> {
  const now = clock.now()
  const recently = now - keptAtLeastMs
  const endedBefore = now - config.HEARTH_JOB_RETENTION_DAYS * dayMs
  let afterId = 0
  let step: DeletedJobs
  do {
    if (!(await isFree(store, signal))) return
    step = await store.retainJobs({
      afterId,
      endedBefore,
      endedBeforeIfFull: recently,
      bytesMax: config.HEARTH_DATABASE_LIMIT_BYTES,
    })
    afterId = step.nextId
    for (const id of step.jobs) live.forget(id)
    artifacts.removeFiles(step.contents)
  } while (!step.isDone)
}

async function deleteArtifacts(
  { config, clock, store, artifacts }: RetentionContext,
  signal: AbortSignal,
): Promise<void> {
  const now = clock.now()
  const usedBefore = now - config.HEARTH_ARTIFACT_RETENTION_DAYS * dayMs
  let isDone = false
  while (!isDone) {
    if (!(await isFree(store, signal))) return
    const step = await store.retainArtifacts({
      usedBefore,
      usedBeforeIfFull: now - keptAtLeastMs,
      bytesToFree: Math.max(0, artifacts.files.usedBytes - config.HEARTH_ARTIFACT_LIMIT_BYTES),
    })
    artifacts.removeFiles(step.contents)
    isDone = step.isDone
  }
}

async function deleteHistory({ config, clock, store }: RetentionContext, signal: AbortSignal): Promise<void> {
  const before = clock.now() - config.HEARTH_HISTORY_DAYS * dayMs
  let isDone = false
  while (!isDone) {
    if (!(await isFree(store, signal))) return
    ;({ isDone } = await store.retainHistory({ rowsMax: config.HEARTH_HISTORY_ROWS, before }))
  }
}

async function giveBackPages({ store }: RetentionContext, signal: AbortSignal): Promise<void> {
  let before = Number.POSITIVE_INFINITY
  for (;;) {
    if (!(await isFree(store, signal))) return
    const freePages = await store.vacuum()
    if (freePages <= freePagesKept || freePages >= before) return
    before = freePages
  }
}

/** False: the round ends here. A store that cannot commit has other worries. */
async function isFree(store: RetentionContext['store'], signal: AbortSignal): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, pauseMs))
  return !signal.aborted && store.metrics.accepting
}
