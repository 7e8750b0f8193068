import { expect, test } from 'vitest'
import type { DeviceId, JobId } from '../../../src/scheduler/ids.ts'
import type { ArtifactId, JobEventBody } from '../../../src/store/records.ts'
import { dataOf, eventOf } from '../../../src/store/rows.ts'

const failure = { code: 'WORKER_LOST', message: 'The worker died.', retryable: true } as const
const deviceId = 3 as DeviceId
const bodies: readonly JobEventBody[] = [
  { kind: 'queued' },
  { kind: 'loading', deviceId },
  { kind: 'started', deviceId },
  { kind: 'paused', cause: 'requested', message: 'Paused.' },
  { kind: 'resumed', deviceId },
  { kind: 'resumed', deviceId: null },
  { kind: 'postprocessing' },
  { kind: 'requeued', cause: 'worker_lost', failure, fromStep: 0 },
  { kind: 'succeeded' },
  { kind: 'failed', failure },
  { kind: 'cancelled', progressDone: null, progressTotal: 7, progressUnit: 'TOKENS', message: 'Cancelled.' },
  { kind: 'step', item: 0, step: 3, totalSteps: 20 },
  { kind: 'preview', item: 1, step: 5, artifactId: 7 as ArtifactId },
  { kind: 'text', item: 0, offset: 12, text: 'Zeile\n"𝄞"' },
  { kind: 'values', values: [1, 'two', null, { three: [3] }] },
]

test.each(bodies)('an event of kind $kind comes back from its row as it was', (body) => {
  const event = { sequence: 5, jobId: 9 as JobId, attempt: 2, at: 1_700_000_000_000, from: null, to: null, body }
  expect(eventOf([5, event.jobId, 2, body.kind, event.at, null, null, dataOf(body)])).toEqual(event)
})

test('integers that JSON cannot write are kept as digits', () => {
  expect(dataOf({ kind: 'values', values: [2n ** 60n] })).toBe('{"values":["1152921504606846976"]}')
})
