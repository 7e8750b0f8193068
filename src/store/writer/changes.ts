/** The writing half of the Store: what each promise of it puts into the queue, and when a submission is refused. */
import type { Millis } from '../../scheduler/ids.ts'
import type { ArtifactRow } from '../columns.ts'
import { isTerminal, type NewJob } from '../records.ts'
import type { DeletedJobs } from '../retention.ts'
import { artifactOf } from '../rows.ts'
import type { Sequences } from '../sequences.ts'
import { type Store, StoreOverloaded } from '../store.ts'
import { encodeArtifact } from './artifacts.ts'
import { encodeHistory } from './history.ts'
import { encodeEvent, encodePatch } from './job-events.ts'
import { encodeVersion, type VersionIds } from './models.ts'
import { encodeWithdrawal } from './previews.ts'
import { encodeRegistration } from './registrations.ts'
import { encodeArtifactRetention, encodeJobRetention } from './retention.ts'
import { encodeSession, encodeSessionUpdate } from './sessions.ts'
import { encodeSubmission, outcomeOf, queuedEvents, type SubmissionResult } from './submit-jobs.ts'
import type { WaitingCheckpoints } from './waiting-checkpoints.ts'
import type { WriterClient } from './writer-client.ts'

export type Changes = Pick<
  Store,
  | 'submitJobs'
  | 'changeJob'
  | 'recordProgress'
  | 'recordCancelRequest'
  | 'recordPauseRequest'
  | 'saveCheckpoint'
  | 'withdrawPreviews'
  | 'insertSession'
  | 'updateSession'
  | 'insertArtifact'
  | 'findUnusedContents'
  | 'saveRegistration'
  | 'retainJobs'
  | 'retainArtifacts'
  | 'vacuum'
  | 'recordHistory'
  | 'retainHistory'
  | 'registerDevice'
  | 'registerVersion'
  | 'saveSnapshot'
>

export interface WriteLimits {
  /** Rows that may wait for their commit before submissions are refused. */
  readonly rows: number
  /** Characters of requests that may. */
  readonly chars: number
}

/** A full queue of writes empties within a few commits. */
const retryWhenFullMs = 100
/** What a row counts for in a batch, beside its texts. */
const rowBytes = 200

export interface ChangeParts {
  readonly writer: WriterClient
  readonly sequences: Sequences
  readonly checkpoints: WaitingCheckpoints
  readonly limits: WriteLimits
  readonly now: () => Millis
  /** Hears the greatest number among the state changes that a step of retention deleted; 0 = none. */
  readonly onDeleted: (sequence: number) => void
}

export function changesOf({ writer, sequences, checkpoints, limits, now, onDeleted }: ChangeParts): Changes {
  const { queue } = writer
  return {
    submitJobs(jobs) {
      const chars = jobs.reduce((sum, { request }) => sum + request.length, 0)
      const refusal = storageRefusal() ?? fullRefusal(jobs, chars)
      if (refusal) return Promise.reject(refusal)
      const numbers = jobs.map(() => sequences.take())
      const written = queue.add<SubmissionResult | undefined>({
        operation: 'submitJobs',
        write: (values) => encodeSubmission(values, jobs, numbers),
        rows: jobs.length,
        bytes: chars + jobs.length * rowBytes,
        events: (result) => queuedEvents(jobs, numbers, result as SubmissionResult | undefined),
        urgent: true,
      })
      return written.then((result) => outcomeOf(jobs, result))
    },

    changeJob({ event, patch, output, artifacts = [] }) {
      if (event.to === null)
        throw new Error(`Event ${event.sequence} of job ${event.jobId} (${event.body.kind}) changes no state.`)
      if (isTerminal(event.to)) checkpoints.forget(event.jobId)
      // Who is told that the job is paused relies on what was saved of it.
      if (event.to === 'PAUSED') checkpoints.writeNow(event.jobId)
      const whole = { ...patch, state: event.to }
      return queue.add({
        operation: 'recordEvent',
        write: (values) => encodeEvent(values, event, whole, output, artifacts),
        rows: 1 + artifacts.length,
        bytes: rowBytes * (1 + artifacts.length) + (output?.byteLength ?? 0),
        events: () => [event],
        urgent: true,
      })
    },

    recordProgress(event, patch, artifacts = []) {
      const { body } = event
      const chars = body.kind === 'text' ? body.text.length : body.kind === 'values' ? body.values.length * 16 : 0
      return queue.add({
        operation: 'recordEvent',
        write: (values) => encodeEvent(values, event, patch, undefined, artifacts),
        rows: 1 + artifacts.length,
        bytes: rowBytes * (1 + artifacts.length) + chars,
        events: () => [event],
        urgent: artifacts.length > 0,
      })
    },

    recordCancelRequest: (jobId, at) =>
      unlessRefused(() =>
        queue.add({
          ...oneRow,
          operation: 'patchJob',
          write: (values) => encodePatch(values, jobId, { cancelRequestedAt: at }),
        }),
      ),

    recordPauseRequest: (jobId, at) =>
      unlessRefused(() =>
        queue.add({
          ...oneRow,
          operation: 'patchJob',
          write: (values) => encodePatch(values, jobId, { pauseRequestedAt: at }),
        }),
      ),

    saveCheckpoint: (checkpoint) => checkpoints.save(checkpoint),

    withdrawPreviews: (jobId, items) =>
      queue.add({
        ...oneRow,
        operation: 'withdrawPreviews',
        write: (values) => encodeWithdrawal(values, jobId, items),
      }),

    async insertArtifact(artifact) {
      const equal = await unlessRefused(() =>
        queue.add<ArtifactRow | undefined>({
          ...oneRow,
          operation: 'insertUpload',
          write: (values) => encodeArtifact(values, artifact),
        }),
      )
      return equal ? artifactOf(equal) : artifact
    },

    findUnusedContents: (contents) =>
      queue.add({
        ...oneRow,
        operation: 'findUnusedContents',
        write: (values) => void values.push(contents.length, ...contents),
        urgent: false,
      }),

    saveRegistration: (registration) =>
      unlessRefused(() =>
        queue.add({
          ...oneRow,
          operation: 'saveRegistration',
          write: (values) => encodeRegistration(values, registration),
        }),
      ),

    async retainJobs(retention) {
      const deleted = await queue.add<DeletedJobs>({
        ...oneRow,
        operation: 'retainJobs',
        write: (values) => encodeJobRetention(values, retention),
        urgent: false,
      })
      onDeleted(deleted.deletedSequence)
      return deleted
    },

    retainArtifacts: (retention) =>
      queue.add({
        ...oneRow,
        operation: 'retainArtifacts',
        write: (values) => encodeArtifactRetention(values, retention),
        urgent: false,
      }),

    recordHistory: (history) => {
      const rows = history.decisions.length + history.allocations.length
      return queue.add({
        operation: 'recordHistory',
        write: (values) => encodeHistory(values, history),
        rows,
        bytes: rows * rowBytes,
        urgent: false,
      })
    },

    retainHistory: ({ rowsMax, before }) =>
      queue.add({
        ...oneRow,
        operation: 'retainHistory',
        write: (values) => void values.push(rowsMax, before),
        urgent: false,
      }),

    vacuum: () => queue.add({ ...oneRow, operation: 'vacuum', write: () => {}, urgent: false }),

    insertSession: (session) =>
      unlessRefused(() =>
        queue.add({ ...oneRow, operation: 'insertSession', write: (values) => encodeSession(values, session) }),
      ),

    updateSession: (id, patch) =>
      unlessRefused(() =>
        queue.add({ ...oneRow, operation: 'updateSession', write: (values) => encodeSessionUpdate(values, id, patch) }),
      ),

    async registerDevice(name, kind) {
      const id = await queue.add<Awaited<ReturnType<Store['registerDevice']>>['id']>({
        ...oneRow,
        operation: 'registerDevice',
        write: (values) => void values.push(name, kind),
      })
      return { id, name, kind }
    },

    async registerVersion(model, version, components, provisional = null) {
      const { modelId, versionId, registeredAt, componentIds } = await queue.add<VersionIds>({
        ...oneRow,
        operation: 'registerVersion',
        write: (values) => encodeVersion(values, model, version, components, provisional),
      })
      return {
        model: { id: modelId, ...model },
        version: { ...version, id: versionId, modelId, registeredAt },
        components: components.flatMap((component, index) => {
          const id = componentIds[index]
          return id === undefined ? [] : [{ ...component, id, versionId }]
        }),
      }
    },

    saveSnapshot: (json) =>
      unlessRefused(() =>
        queue.add({
          ...oneRow,
          operation: 'saveSnapshot',
          write: (values) => void values.push(now(), json),
          bytes: json.length,
          urgent: false,
        }),
      ),
  }

  function storageRefusal(): StoreOverloaded | null {
    if (!writer.trouble) return null
    const { message, retryInMs } = writer.trouble
    return new StoreOverloaded(
      'storage',
      retryInMs,
      `Nothing can be written at present (${message}); what was accepted is kept and written as soon as that ends.`,
    )
  }

  /** Something that is alone may be of any size. */
  function fullRefusal(jobs: readonly NewJob[], chars: number): StoreOverloaded | null {
    if (queue.rows === 0 || (queue.rows + jobs.length <= limits.rows && queue.bytes + chars <= limits.chars))
      return null
    return new StoreOverloaded(
      'write_queue',
      retryWhenFullMs,
      `${queue.rows} rows wait to be written, of at most ${limits.rows}; submit again in a moment.`,
    )
  }

  function unlessRefused<Result>(write: () => Promise<Result>): Promise<Result> {
    const refusal = storageRefusal()
    return refusal ? Promise.reject(refusal) : write()
  }
}

const oneRow = { rows: 1, bytes: rowBytes, urgent: true } as const
