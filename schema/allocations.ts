import type { AllocationFilter as Filter } from '../src/store/store.ts'
import { AllocationPurpose, AllocationState } from './allocation.ts'
import { builder } from './builder.ts'
import { readPage } from './connection.ts'
import { decodeIdIfGiven } from './ids.ts'
import { AllocationConnection } from './nouns.ts'
import { badUserInput } from './request-error.ts'

const AllocationFilter = builder.inputType('AllocationFilter', {
  fields: (t) => ({
    deviceId: t.id(),
    jobId: t.id(),
    states: t.field({ type: [AllocationState] }),
    purposes: t.field({ type: [AllocationPurpose] }),
  }),
})

builder.queryField('allocations', (t) =>
  t.field({
    type: AllocationConnection,
    nullable: true,
    description: 'The memory ledger, newest first: what is lent, and for a while what was given back.',
    args: { first: t.arg.int(), after: t.arg.string(), filter: t.arg({ type: AllocationFilter }) },
    resolve: (_, args, { app }) => {
      const filter = readFilter(args.filter ?? {})
      return readPage(args, {
        cursors: 'allocation',
        read: (page) => app.allocations(filter, page),
        position: ({ allocationId }) => allocationId,
        count: () => app.countAllocations(filter),
      })
    },
  }),
)

function readFilter({ deviceId, jobId, states, purposes }: typeof AllocationFilter.$inferInput): Filter {
  const device = decodeIdIfGiven('Device', deviceId)
  if (device === null) throw badUserInput('filter.deviceId', 'this is not the id of a device.')
  const job = decodeIdIfGiven('Job', jobId)
  if (job === null) throw badUserInput('filter.jobId', 'this is not the id of a job.')
  return {
    ...(device === undefined ? {} : { deviceId: device }),
    ...(job === undefined ? {} : { jobId: job }),
    ...(states ? { states } : {}),
    ...(purposes ? { purposes } : {}),
  }
}
