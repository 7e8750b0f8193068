/**
 * How far a job is, from what its tasks report. A job that makes pictures counts the steps of denoising of all of them together: what comes before and
 * after is short, and would only make the figure jump.
 */
import type { JobId, TaskId } from '../scheduler/ids.ts'
import type { TaskRecord } from '../store/records.ts'
import type { LiveJob } from './live-jobs.ts'

export interface Counts {
  readonly done: number
  readonly total: number | null
}

const countedProgram = 'denoise'

export class JobProgress {
  readonly #done = new Map<JobId, Map<TaskId, number>>()

  /** The job's counts after a report of one of its tasks; null where the steps of that task are not counted. */
  take(job: LiveJob, taskId: TaskId, { done, total }: Counts): Counts | null {
    const counted = job.tasks.filter(isCounted)
    if (counted.length === 0) return { done, total }
    if (!counted.some(({ id }) => id === taskId)) return null
    const steps = this.#stepsOf(job.record.id).set(taskId, done)
    return { done: sumOf(steps), total: total === null ? null : total * counted.length }
  }

  /**
   * The job is to go on elsewhere: `stepOf` says from which step a task does, null = it is done already. Answers the job's count then; null where no steps are
   * counted together.
   */
  restart(job: LiveJob, stepOf: (taskId: TaskId) => number | null): number | null {
    const counted = job.tasks.filter(isCounted)
    if (counted.length === 0) return null
    const steps = this.#stepsOf(job.record.id)
    for (const { id } of counted) steps.set(id, stepOf(id) ?? steps.get(id) ?? 0)
    return sumOf(steps)
  }

  forget(jobId: JobId): void {
    this.#done.delete(jobId)
  }

  #stepsOf(jobId: JobId): Map<TaskId, number> {
    const known = this.#done.get(jobId)
    if (known) return known
    const steps = new Map<TaskId, number>()
    this.#done.set(jobId, steps)
    return steps
  }
}

function isCounted({ program }: TaskRecord): boolean {
  return program === countedProgram
}

function sumOf(steps: ReadonlyMap<TaskId, number>): number {
  let sum = 0
  for (const done of steps.values()) sum += done
  return sum
}
