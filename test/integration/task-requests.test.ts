/** What the pool asks of real Python workers between a task's start and its end: pauses, leases, held outputs, saved states. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TaskId, WorkerId } from '../../src/scheduler/ids.ts'
import { noop, RealPool } from '../support/real-pool.ts'
import { until } from '../support/until.ts'

const endless = { steps: 1_000_000, stepMs: 5 }
const ids = (...numbers: readonly number[]) => numbers as unknown as TaskId[]
let real: RealPool
let worker: WorkerId

beforeAll(async () => {
  real = new RealPool({ pingIntervalMs: 100, statsIntervalMs: 100 })
  worker = await real.startNoop(1)
})
afterAll(() => real[Symbol.asyncDispose]())

test('a paused task stands still, and goes on when it is resumed', async () => {
  real.pool.admit(worker, [noop(1, endless)])
  await real.reported(1, 'step')
  real.pool.pause(worker, ids(1))
  expect(await real.reported(1, 'paused')).toMatchObject({ stateBytes: expect.any(Number) })
  const before = real.entriesOf(1).length
  real.pool.admit(worker, [noop(2, { steps: 5, stepMs: 10 })])
  await real.reported(2, 'done')
  expect(real.entriesOf(1)).toHaveLength(before)
  real.pool.resume(worker, ids(1))
  await until('it steps again', () => real.entriesOf(1).length > before)
  real.pool.cancel(worker, ids(1))
  await real.reported(1, 'cancelled')
})

test('pauses and resumptions that follow each other closely leave the task as it was asked to be last', async () => {
  real.pool.admit(worker, [noop(3, endless)])
  await real.reported(3, 'step')
  for (let round = 0; round < 20; round += 1) {
    real.pool.pause(worker, ids(3))
    real.pool.resume(worker, ids(3))
  }
  real.pool.pause(worker, ids(3))
  real.pool.admit(worker, [noop(4, { steps: 5, stepMs: 10 })])
  await real.reported(4, 'done')
  expect(real.entriesOf(3).at(-1)?.kind).toBe('paused')
  real.pool.cancel(worker, ids(3))
  await real.reported(3, 'cancelled')
})

test('a worker whose lease is revoked takes tasks and begins none of them before it has the lease again', async () => {
  real.pool.revokeLease(worker)
  await until('it has given it back', () => real.listener.of('leaseRevoked')[0])
  real.pool.admit(worker, [noop(5)])
  real.pool.cancel(worker, ids(5))
  real.pool.admit(worker, [noop(6)])
  await real.reported(5, 'cancelled')
  expect(real.entriesOf(6)).toEqual([])
  real.pool.grantLease(worker)
  await real.reported(6, 'done')
})

test('a held output stays in the worker for who takes it, until it is released', async () => {
  const inputs = { before: 7 as TaskId }
  real.pool.admit(worker, [noop(7, { value: 'kept' }, { isHeld: true })])
  expect(await real.reported(7, 'done')).toMatchObject({ output: {}, heldBytes: expect.any(Number) })
  real.pool.admit(worker, [noop(8, {}, { inputs, stage: 'postprocessing' })])
  await real.reported(8, 'done')
  // Asked in one breath: the one that comes first still takes it.
  real.pool.admit(worker, [noop(9, {}, { inputs })])
  real.pool.release(worker, ids(7))
  real.pool.admit(worker, [noop(10, {}, { inputs })])
  await real.reported(9, 'done')
  expect(await real.reported(10, 'failed')).toMatchObject({ code: 'input_missing', retryable: true })
})

test('a saved state that a program cannot read is no failure, and one that it cannot save is none to tell', async () => {
  real.pool.admit(worker, [noop(11, { value: 1 }, { saved: Buffer.from('nothing') })])
  expect(await real.reported(11, 'done')).toMatchObject({ output: { values: 1 } })
  real.pool.admit(worker, [noop(12, endless)])
  await real.reported(12, 'step')
  real.pool.checkpoint(worker, ids(12))
  real.pool.cancel(worker, ids(12))
  await real.reported(12, 'cancelled')
  expect(real.listener.of('taskCheckpointed')).toEqual([])
})

test('through all of it the worker was taken for a good one', () => {
  expect(real.listener.of('workerExited')).toEqual([])
})
