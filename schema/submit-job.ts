import type { SubmitJobInput as Submission } from '../src/app/app.ts'
import type { JobRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'
import { resultUnion } from './errors.ts'
import { decodeIdIfGiven } from './ids.ts'
import { Job } from './nouns.ts'
import { PriorityClass } from './priority-class.ts'
import { readTask, TaskInput } from './task-input.ts'

/** The use case refuses more; the limit of an operation's cost reckons with it. */
const jobsPerSubmissionMax = 1000

const PreviewInput = builder.inputType('PreviewInput', {
  fields: (t) => ({
    everySteps: t.int({
      required: true,
      defaultValue: 5,
      description: 'At most one in so many steps of a picture; fewer where they would cost too much time.',
    }),
    maxWidth: t.int({ required: true, defaultValue: 256, description: 'Pixels.' }),
  }),
})

const SubmitJobInput = builder.inputType('SubmitJobInput', {
  fields: (t) => ({
    sessionId: t.id(),
    model: t.string({ required: true, description: '`name`, or `name@version`.' }),
    task: t.field({ type: TaskInput, required: true }),
    priorityClass: t.field({ type: PriorityClass, description: "Default: the session's, else INTERACTIVE." }),
    idempotencyKey: t.string({
      description:
        'Same key and same input: the same job, for as long as it is kept. Same key, other input: ConflictError.',
    }),
    previews: t.field({
      type: PreviewInput,
      description: 'Tells PreviewReady while pictures are being made. Left out: none are made.',
    }),
    deadline: t.field({ type: 'DateTime', description: 'Past it, the job fails at the next step.' }),
  }),
})
const SubmitJobsInput = builder.inputType('SubmitJobsInput', {
  fields: (t) => ({ jobs: t.field({ type: [SubmitJobInput], required: true }) }),
})

const SubmitJobSuccess = builder
  .objectRef<{ job: JobRecord }>('SubmitJobSuccess')
  .implement({ fields: (t) => ({ job: t.expose('job', { type: Job }) }) })
const SubmitJobsSuccess = builder.objectRef<{ jobs: readonly JobRecord[] }>('SubmitJobsSuccess').implement({
  fields: (t) => ({
    jobs: t.field({
      type: [Job],
      extensions: { listSizeMax: jobsPerSubmissionMax },
      resolve: (result) => result.jobs,
    }),
  }),
})

const submissionErrors = ['InvalidInput', 'NotFound', 'Conflict', 'Overloaded', 'ModelTooLarge'] as const

builder.mutationFields((t) => ({
  submitJob: t.field({
    type: resultUnion('SubmitJob', SubmitJobSuccess, submissionErrors),
    nullable: true,
    description: 'Answers when the job is durable, not when it has run.',
    args: { input: t.arg({ type: SubmitJobInput, required: true }) },
    resolve: async (_, { input }, { app }) => {
      const result = await app.submitJobs([readSubmission(input)], 'single')
      if ('kind' in result) return result
      const [job] = result
      if (!job) throw new Error('A submission of one job answered with none.')
      return { job }
    },
  }),
  submitJobs: t.field({
    type: resultUnion('SubmitJobs', SubmitJobsSuccess, submissionErrors),
    nullable: true,
    description: `All or nothing, at most ${jobsPerSubmissionMax}; a key repeated inside is one job.`,
    args: { input: t.arg({ type: SubmitJobsInput, required: true }) },
    resolve: async (_, { input }, { app }) => {
      const result = await app.submitJobs(input.jobs.map(readSubmission), 'list')
      return 'kind' in result ? result : { jobs: result }
    },
  }),
}))

function readSubmission(input: typeof SubmitJobInput.$inferInput): Submission {
  const sessionId = decodeIdIfGiven('Session', input.sessionId)
  return {
    sessionId: sessionId === null ? { malformed: input.sessionId ?? '' } : (sessionId ?? null),
    model: input.model,
    task: readTask(input.task),
    priorityClass: input.priorityClass ?? null,
    idempotencyKey: input.idempotencyKey ?? null,
    deadline: input.deadline ?? null,
    // Only where they were asked for: whether they were is part of what makes two inputs the same.
    ...(input.previews ? { previews: input.previews } : {}),
  }
}
