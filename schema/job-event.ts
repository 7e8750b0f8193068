/** What is said of a job, in order: one object type per kind of event, all with the same head. */
import type { JobEventBody, JobEventKind, JobEvent as JobEventRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'
import { connectionRef } from './connection.ts'
import { encodeCursor } from './cursor.ts'
import { encodeId } from './ids.ts'
import { required } from './loaders.ts'
import { Job } from './nouns.ts'

/** An event whose body is of one kind. */
export type EventOf<Kind extends JobEventKind> = JobEventRecord & {
  readonly body: Extract<JobEventBody, { kind: Kind }>
}

const typeNames: Readonly<Record<JobEventKind, string>> = {
  queued: 'JobQueued',
  loading: 'JobLoading',
  started: 'JobStarted',
  paused: 'JobPaused',
  resumed: 'JobResumed',
  requeued: 'JobRequeued',
  postprocessing: 'JobPostprocessing',
  succeeded: 'JobSucceeded',
  failed: 'JobFailed',
  cancelled: 'JobCancelled',
  step: 'StepCompleted',
  preview: 'PreviewReady',
  text: 'TextDelta',
  values: 'PartialResult',
}

export const JobEvent = builder.interfaceRef<JobEventRecord>('JobEvent').implement({
  description: 'Order events by `sequence`; it rises over the whole life of the job, with gaps, and is never reused.',
  resolveType: ({ body }) => (isBackInQueue(body) ? typeNames.queued : typeNames[body.kind]),
  fields: (t) => ({
    cursor: t.string({ resolve: ({ sequence }) => encodeCursor('event', sequence) }),
    attempt: t.exposeInt('attempt'),
    sequence: t.expose('sequence', { type: 'SafeInt' }),
    at: t.expose('at', { type: 'DateTime' }),
    jobId: t.id({ resolve: ({ jobId }) => encodeId('Job', jobId) }),
    job: t.field({
      type: Job,
      description: 'As it is now.',
      resolve: async ({ jobId }, _, { loaders }) => required('Job', await loaders.job.load(jobId)),
    }),
  }),
})

/** JobResumed names the device that goes on with the job. One that has none yet is told as waiting again; JobLoading or JobStarted follows. */
function isBackInQueue(body: JobEventBody): boolean {
  return body.kind === 'resumed' && body.deviceId === null
}

export const JobEventConnection = connectionRef('JobEvent', JobEvent)

/** The object type of one kind; its own fields come with `implement`. */
export function eventRef<Kind extends JobEventKind>(kind: Kind) {
  return builder.objectRef<EventOf<Kind>>(typeNames[kind])
}
