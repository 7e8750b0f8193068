/** Where a job was when it was paused or cancelled, in words for its log. */
import type { JobRecord } from '../store/records.ts'
import type { LiveJob } from './live-jobs.ts'
import type { TaskResults } from './task-results.ts'

/** `after 7 of 20 steps`: what comes between "Paused" and a full stop. */
export function stoppedAt(record: JobRecord): string {
  const { attempt, startedAt, postprocessingAt, progressDone } = record
  // One that has begun before waits to go on, or to begin again.
  if (startedAt === null && progressDone > 0) return `while it waited, ${afterSteps(record)}`
  if (startedAt === null) return attempt > 1 ? 'while it waited to begin again' : 'while it waited; nothing had run'
  if (postprocessingAt !== null) return 'during postprocessing'
  return afterSteps(record)
}

function afterSteps({ progressDone, progressTotal, progressUnit }: JobRecord): string {
  const unit = (progressUnit ?? 'STEPS').toLowerCase()
  return progressTotal === null ? `after ${progressDone} ${unit}` : `after ${progressDone} of ${progressTotal} ${unit}`
}

/** `2 of 8 pictures were finished`; null for a job that makes no pictures, or only one. */
export function finishedPictures({ record, tasks }: LiveJob, results: TaskResults): string | null {
  if (record.taskKind !== 'textToImage') return null
  const last = tasks.filter(({ isHeld }) => !isHeld)
  const all = new Set(last.map(({ item }) => item))
  if (all.size < 2) return null
  const unfinished = new Set(last.filter(({ id }) => !results.hasOutput(id)).map(({ item }) => item))
  return `${all.size - unfinished.size} of ${all.size} pictures were finished`
}
