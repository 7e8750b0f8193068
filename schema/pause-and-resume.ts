import { NotFound } from '../src/app/errors.ts'
import type { JobRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'
import { resultUnion } from './errors.ts'
import { decodeId } from './ids.ts'
import { Job } from './nouns.ts'

const PauseJobSuccess = builder
  .objectRef<{ job: JobRecord }>('PauseJobSuccess')
  .implement({ fields: (t) => ({ job: t.expose('job', { type: Job }) }) })
const ResumeJobSuccess = builder
  .objectRef<{ job: JobRecord }>('ResumeJobSuccess')
  .implement({ fields: (t) => ({ job: t.expose('job', { type: Job }) }) })

builder.mutationFields((t) => ({
  pauseJob: t.field({
    type: resultUnion('PauseJob', PauseJobSuccess, ['NotFound', 'Conflict', 'Overloaded']),
    nullable: true,
    description:
      'Answers when the wish is durable; it takes effect at the next step, and JobPaused tells. Pausing twice succeeds. A paused job stays paused ' +
      'over restarts of the server, until resumeJob or cancelJob.',
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_, args, { app }) => {
      const id = decodeId('Job', args.id)
      const result = id === null ? new NotFound('Job', args.id) : await app.pauseJob(id)
      return 'kind' in result ? result : { job: result }
    },
  }),
  resumeJob: t.field({
    type: resultUnion('ResumeJob', ResumeJobSuccess, ['NotFound', 'Conflict', 'Overloaded']),
    nullable: true,
    description: 'Answers when the wish is durable. The job goes on where it stopped, at once or when its turn comes.',
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_, args, { app }) => {
      const id = decodeId('Job', args.id)
      const result = id === null ? new NotFound('Job', args.id) : await app.resumeJob(id)
      return 'kind' in result ? result : { job: result }
    },
  }),
}))
