import type { JobRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'
import type { RequestContext } from './context.ts'
import { decodeId } from './ids.ts'
import { JobConnection, JobFilter, pageOfJobs } from './job-list.ts'
import { Job } from './nouns.ts'
import { badUserInput } from './request-error.ts'

builder.queryFields((t) => ({
  job: t.field({
    type: Job,
    nullable: true,
    description: 'By exactly one of id and idempotencyKey.',
    args: { id: t.arg.id(), idempotencyKey: t.arg.string() },
    resolve: (_, args, context) => findJob(args, context),
  }),
  jobs: t.field({
    type: JobConnection,
    nullable: true,
    args: { first: t.arg.int(), after: t.arg.string(), filter: t.arg({ type: JobFilter }) },
    resolve: (_, args, context) => pageOfJobs(args, {}, context),
  }),
}))

export interface JobReference {
  readonly id?: string | null | undefined
  readonly idempotencyKey?: string | null | undefined
}

/** Null when there is none, or the id is not one of a job. */
export async function findJob(
  { id, idempotencyKey }: JobReference,
  { app }: RequestContext,
): Promise<JobRecord | null> {
  const isIdGiven = typeof id === 'string'
  const isKeyGiven = typeof idempotencyKey === 'string'
  if (isIdGiven === isKeyGiven) throw badUserInput('id', 'give exactly one of id and idempotencyKey.')
  if (isKeyGiven) return app.jobByKey(idempotencyKey)
  const jobId = isIdGiven ? decodeId('Job', id) : null
  return jobId === null ? null : app.job(jobId)
}
