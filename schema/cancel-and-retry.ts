import { NotFound } from '../src/app/errors.ts'
import type { JobRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'
import { resultUnion } from './errors.ts'
import { decodeId } from './ids.ts'
import { Job } from './nouns.ts'

const CancelJobSuccess = builder
  .objectRef<{ job: JobRecord }>('CancelJobSuccess')
  .implement({ fields: (t) => ({ job: t.expose('job', { type: Job }) }) })
const RetryJobSuccess = builder
  .objectRef<{ job: JobRecord }>('RetryJobSuccess')
  .implement({ fields: (t) => ({ job: t.expose('job', { type: Job }) }) })

builder.mutationFields((t) => ({
  cancelJob: t.field({
    type: resultUnion('CancelJob', CancelJobSuccess, ['NotFound', 'Conflict', 'Overloaded']),
    nullable: true,
    description:
      'Answers when the wish is durable. Cancelling twice succeeds. A job whose result is being written may succeed all the same.',
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_, args, { app }) => {
      const id = decodeId('Job', args.id)
      const result = id === null ? new NotFound('Job', args.id) : await app.cancelJob(id)
      return 'kind' in result ? result : { job: result }
    },
  }),
  retryJob: t.field({
    type: resultUnion('RetryJob', RetryJobSuccess, ['NotFound', 'Conflict', 'Overloaded']),
    nullable: true,
    description: 'A new job with the same request, once the old one has ended, however it did.',
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_, args, { app }) => {
      const id = decodeId('Job', args.id)
      const result = id === null ? new NotFound('Job', args.id) : await app.retryJob(id)
      return 'kind' in result ? result : { job: result }
    },
  }),
}))
