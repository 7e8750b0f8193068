/**
 * How far a job is, from what its tasks report. A job that makes pictures counts the steps of denoising of all of them together: what comes before and
 * after is short, and would only make the figure jump.
 */
import type { JobId, TaskId } from '../scheduler/ids.ts'
import type { JobRecord, ProgressUnit, TaskRecord } from '../store/records.ts'
import type { LiveJob } from './live-jobs.ts'

export interface Counts {
  readonly done: number
  readonly total: number | null
  readonly unit: ProgressUnit
}

/** Where a job goes on: its count then, and the least step that one of its unfinished pictures goes on from. */
export interface Restart {
  readonly done: number
  readonly fromStep: number
}

const countedProgram = 'denoise'

export class JobProgress {
  readonly #done = new Map<JobId, Map<TaskId, number>>()
  /** The counts of each job since it last began. */
  readonly #last = new Map<JobId, Counts>()

  /** The job's counts after a report of one of its tasks; null where the steps of that task are not counted. */
  take(job: LiveJob, taskId: TaskId, reported: Counts): Counts | null {
    const counts = this.#countsOf(job, taskId, reported)
    if (counts) this.#last.set(job.record.id, counts)
    return counts
  }

  /** With the counts that were last reported: a record shows them only a moment later. */
  upToDate(record: Readonly<JobRecord>): Readonly<JobRecord> {
    const last = this.#last.get(record.id)
    if (!last) return record
    return { ...record, progressDone: last.done, progressTotal: last.total, progressUnit: last.unit }
  }

  /**
   * The job is to go on elsewhere: `stepOf` says from which step a task does, null = it is done already. Null where no steps are counted together.
   */
  restart(job: LiveJob, stepOf: (taskId: TaskId) => number | null): Restart | null {
    this.#last.delete(job.record.id)
    const counted = job.tasks.filter(isCounted)
    if (counted.length === 0) return null
    const steps = this.#stepsOf(job.record.id)
    const unfinished: number[] = []
    for (const { id } of counted) {
      const step = stepOf(id)
      if (step !== null) unfinished.push(step)
      steps.set(id, step ?? steps.get(id) ?? 0)
    }
    return { done: sumOf(steps), fromStep: Math.min(...(unfinished.length > 0 ? unfinished : steps.values())) }
  }

  forget(jobId: JobId): void {
    this.#done.delete(jobId)
    this.#last.delete(jobId)
  }

  #countsOf(job: LiveJob, taskId: TaskId, reported: Counts): Counts | null {
    const counted = job.tasks.filter(isCounted)
    if (counted.length === 0) return reported
    if (!counted.some(({ id }) => id === taskId)) return null
    const { done, total } = reported
    const steps = this.#stepsOf(job.record.id).set(taskId, done)
    return { ...reported, done: sumOf(steps), total: total === null ? null : total * counted.length }
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
