/**
 * How jobs end: each once. An end whose output goes to files waits for them; the job is live until then, and the scheduler, for which it has ended, says
 * nothing more of it.
 */
import { ArtifactTooLarge } from '../runtime/artifacts/errors.ts'
import type { Command, JobFailureCode } from '../scheduler/commands.ts'
import type { JobId, Millis, TaskId } from '../scheduler/ids.ts'
import type { JobEventLog } from '../store/job-events.ts'
import type { JobEventBody, JobFailure, JobPatch, JobRecord, JobState, TaskRecord } from '../store/records.ts'
import type { Artifacts } from './artifacts.ts'
import type { Checkpoints } from './checkpoints.ts'
import { failureOf } from './failure-messages.ts'
import { type JobChanges, pausesUntil } from './job-changes.ts'
import type { JobProgress } from './job-progress.ts'
import type { LiveJob, LiveJobs } from './live-jobs.ts'
import { type FinishedOutput, finishOutput, type OutputPlaces, type TaskOutput } from './outputs/finish-output.ts'
import { UnsafeContent } from './outputs/finish-pictures.ts'
import { BrokenContract } from './outputs/output-fields.ts'
import { finishShownText } from './outputs/shown-text.ts'
import type { Previews } from './previews.ts'
import { finishedPictures, stoppedAt } from './stopped-at.ts'
import type { TaskResults } from './task-results.ts'
import { ArtifactsClosed, ResultGivenUp } from './waiting-results.ts'

export interface JobEndParts extends OutputPlaces {
  readonly log: Pick<JobEventLog, 'withdrawPreviews'>
  readonly live: LiveJobs
  readonly results: TaskResults
  readonly artifacts: Pick<Artifacts, 'prepare' | 'committed' | 'discard' | 'removeFiles'>
  readonly checkpoints: Pick<Checkpoints, 'forget'>
  readonly progress: Pick<JobProgress, 'forget' | 'upToDate'>
  readonly previews: Pick<Previews, 'forget'>
  /** What readers of a job were shown of its text. */
  readonly readShownText: (id: JobId) => Promise<string>
  /** An end that could not be written at all: the server must not go on as if it had been. */
  readonly onLost: (error: unknown) => void
}

type FailedJob = Pick<Extract<Command, { readonly type: 'jobFailed' }>, 'code' | 'retryable' | 'taskId' | 'memory'>

export class JobEnds {
  readonly #parts: JobEndParts
  readonly #changes: JobChanges
  /** Ends that wait for their files. */
  readonly #waiting = new Set<Promise<void>>()

  constructor(parts: JobEndParts, changes: JobChanges) {
    this.#parts = parts
    this.#changes = changes
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Resolves when no end waits for files any more. */
  async finished(): Promise<void> {
    while (this.#waiting.size > 0) await Promise.all(this.#waiting)
  }

  succeed(job: LiveJob, now: Millis): void {
    const outputs = givenBy(job, this.#parts.results).flatMap((task) => this.#take(task))
    const finish = () => finishOutput(job, outputs, this.#parts)
    this.#finish(finish, (outcome) => {
      this.#withdrawPreviews(job, withheldItems(outcome))
      if ('finished' in outcome) return this.#end(job, { kind: 'succeeded' }, 'SUCCEEDED', {}, now, outcome.finished)
      if (outcome.problem instanceof ResultGivenUp)
        return this.#end(job, cancelled(job.record, outcome.problem.message), 'CANCELLED', {}, now)
      const failure = outputFailure(outcome.problem)
      this.#end(job, { kind: 'failed', failure }, 'FAILED', { failure }, now)
    })
  }

  /** `taskId`: whose failure it was, if a task's. */
  fail(job: LiveJob, { code, retryable, taskId, memory }: FailedJob, now: Millis): void {
    const failure = failureOf(code, retryable, this.#wordsAbout(job, code, taskId), memory)
    this.#end(job, { kind: 'failed', failure }, 'FAILED', { failure }, now)
  }

  /** Of what its tasks gave only the last is kept, and no pictures: the rest is given back. A text is kept as far as it was shown. */
  cancel(job: LiveJob, now: Millis): void {
    const { results, progress } = this.#parts
    const record = progress.upToDate(this.#changes.decided(job))
    const pictures = finishedPictures(job, results)
    const body = cancelled(record, `Cancelled ${stoppedAt(record)}${pictures ? `; ${pictures}, none is kept` : ''}.`)
    // A program that keeps what is no output keeps nothing: its job is cancelled all the same.
    const end = (outcome: Outcome) =>
      this.#end(job, body, 'CANCELLED', {}, now, 'finished' in outcome ? outcome.finished : null)
    const last = record.taskKind === 'textToImage' ? undefined : givenBy(job, results).at(-1)
    if (last) return this.#finish(() => finishOutput(job, this.#take(last), this.#parts), end)
    // Its worker is gone, or it was paused before the server's last start.
    if (record.taskKind === 'generateText' && record.attempt > 0)
      return this.#finish(() => this.#shownText(record), end)
    end({ finished: null })
  }

  async #shownText({ id, progressDone }: JobRecord): Promise<FinishedOutput | null> {
    const text = await this.#parts.readShownText(id)
    return text === '' ? null : finishShownText(text, progressDone)
  }

  #take(task: TaskRecord): readonly TaskOutput[] {
    const output = this.#parts.results.takeOutput(task.id)
    return output ? [{ task, output }] : []
  }

  /** In the same turn where nothing goes to files, so that most ends wait for nothing. */
  #finish(make: () => Finished | Promise<Finished>, take: (outcome: Outcome) => void): void {
    let finished: Finished | Promise<Finished>
    try {
      finished = make()
    } catch (problem) {
      return take({ problem })
    }
    if (!(finished instanceof Promise)) return take({ finished })
    const ending: Promise<void> = finished
      .then(
        (value) => take({ finished: value }),
        // The server ends first: the job is taken up again at the next start.
        (problem: unknown) => (problem instanceof ArtifactsClosed ? undefined : take({ problem })),
      )
      .catch(this.#parts.onLost)
      .finally(() => this.#waiting.delete(ending))
    this.#waiting.add(ending)
  }

  /** What a picture that is withheld looked like on its way is withheld too. */
  #withdrawPreviews({ record }: LiveJob, items: readonly number[]): void {
    if (items.length === 0) return
    const { log, artifacts, onLost } = this.#parts
    log
      .withdrawPreviews(record, items)
      // A preview of the same commit holds its file until this turn is over.
      .then((contents) => setImmediate(() => artifacts.removeFiles(contents)))
      .catch(onLost)
  }

  /** What the worker said: of the task, or of the model that could not be loaded for it. */
  #wordsAbout({ record }: LiveJob, code: JobFailureCode, taskId: TaskId | null): string | null {
    const { results } = this.#parts
    if (taskId !== null) return results.takeMessage(taskId)
    return code === 'ENGINE_ERROR' || code === 'OUT_OF_MEMORY' ? results.loadFailure(record.versionId) : null
  }

  #end(job: LiveJob, body: JobEventBody, to: JobState, patch: JobPatch, now: Millis, output: Finished = null): void {
    const { live, results, artifacts, checkpoints, progress, previews } = this.#parts
    const { id } = job.record
    for (const task of job.tasks) results.forget(task.id)
    for (const memory of [checkpoints, progress, previews]) memory.forget(id)
    const ended: JobPatch = { ...patch, ...pausesUntil(now, this.#changes.decided(job)), finishedAt: now }
    this.#changes.change(job, body, to, ended, output ?? undefined, () => {
      live.end(id)
      if (!output) return
      results.keepEncoded(id, output.encoded)
      artifacts.committed(output.artifacts)
    })
  }
}

type Finished = FinishedOutput | null
type Outcome = { readonly finished: Finished } | { readonly problem: unknown }

function withheldItems(outcome: Outcome): readonly number[] {
  if ('finished' in outcome) return outcome.finished?.withheldItems ?? []
  return outcome.problem instanceof UnsafeContent ? outcome.problem.items : []
}

/** Tasks whose outputs are here, in the order of the graph. */
function givenBy({ tasks }: LiveJob, results: TaskResults): TaskRecord[] {
  return tasks.filter(({ id, isHeld }) => !isHeld && results.hasOutput(id))
}

function cancelled({ progressDone, progressTotal, progressUnit }: JobRecord, message: string): JobEventBody {
  return { kind: 'cancelled', progressDone, progressTotal, progressUnit, message }
}

function outputFailure(problem: unknown): JobFailure {
  const words = problem instanceof Error ? problem.message : String(problem)
  if (problem instanceof UnsafeContent) return failureOf('UNSAFE_CONTENT', false, words)
  if (problem instanceof BrokenContract)
    return failureOf('ENGINE_ERROR', false, `The program broke its contract: ${words}`)
  if (problem instanceof ArtifactTooLarge)
    return failureOf('ENGINE_ERROR', false, `What the job made cannot be kept: ${words}`)
  return failureOf('INTERNAL', true, `What the job made could not be written: ${words}`)
}
