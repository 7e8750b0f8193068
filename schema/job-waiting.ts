import type { Waiting } from '../src/scheduler/explain/explain.ts'
import type { JobRecord } from '../src/store/records.ts'
import { builder } from './builder.ts'
import type { RequestContext } from './context.ts'

export const WaitCode = builder.enumType('WaitCode', {
  values: [
    'BEHIND_OTHERS',
    'FAIR_SHARE',
    'MODEL_LOADING',
    'MEMORY',
    'BATCH_FORMING',
    'PAUSED',
    'HEAT',
    'NO_DEVICE',
    'SERVER_RECOVERING',
  ] as const,
})

/**
 * Why a job waits, as of this tick. Four fields of a job ask the same, one after the other, and the answer walks the queue;
 * so the last answer is kept until the tick ends.
 */
export function waitingOf(job: JobRecord, { app }: RequestContext): Waiting | null {
  if (last?.job !== job) {
    if (!last) queueMicrotask(() => (last = null))
    last = { job, waiting: app.waiting(job) }
  }
  return last.waiting
}
let last: { job: JobRecord; waiting: Waiting | null } | null = null
