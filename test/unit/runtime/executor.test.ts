/** Each command of the scheduler, in the order given, becomes a request to the pool. */
import { beforeEach, expect, test } from 'vitest'
import { type ExecutionFacts, Executor, type WorkerCommand } from '../../../src/runtime/executor.ts'
import type { WorkerPool } from '../../../src/runtime/workers/worker-pool.ts'
import type { Admission } from '../../../src/scheduler/commands.ts'
import type { TaskId, VersionId, WorkerId } from '../../../src/scheduler/ids.ts'
import { noop } from '../../support/real-pool.ts'
import { until } from '../../support/until.ts'

const workerId = 1 as WorkerId
const versionId = 3 as VersionId
const taskIds = [5, 6] as TaskId[]
let asked: unknown[][]
/** Told to a task whose request has to be read. */
let read: PromiseWithResolvers<void>
let executor: Executor

beforeEach(() => {
  const calls: unknown[][] = []
  asked = calls
  read = Promise.withResolvers()
  // Writes down every call.
  const pool = new Proxy({} as WorkerPool, {
    get:
      (_, name) =>
      (...values: unknown[]) =>
        calls.push([name, ...values]),
  })
  const facts: ExecutionFacts = {
    placement: () => ({ threads: 2, cores: [0, 1], privateBytesMax: null }),
    version: () => {
      throw new Error('No version here.')
    },
    task: ({ taskId, isRestored }) => {
      const task = noop(taskId)
      return isRestored ? read.promise.then(() => ({ ...task, saved: Buffer.from('state') })) : task
    },
  }
  executor = new Executor(pool, facts)
})

test.each<[WorkerCommand, unknown[]]>([
  [{ type: 'pauseTasks', workerId, taskIds }, ['pause', workerId, taskIds]],
  [{ type: 'resumeTasks', workerId, taskIds }, ['resume', workerId, taskIds]],
  [{ type: 'releaseOutputs', workerId, taskIds }, ['release', workerId, taskIds]],
  [{ type: 'grantLease', workerId }, ['grantLease', workerId]],
  [{ type: 'revokeLease', workerId }, ['revokeLease', workerId]],
  [{ type: 'withdraw', workerId, taskIds }, ['withdraw', workerId, taskIds]],
  [{ type: 'cancelTasks', workerId, taskIds }, ['cancel', workerId, taskIds]],
  [{ type: 'unload', workerId, versionId }, ['unload', workerId, versionId]],
  [{ type: 'stopWorker', workerId }, ['stop', workerId]],
])('$0.type', (command, call) => {
  executor.carryOut(command)
  expect(asked).toEqual([call])
})

test('what is asked of a worker waits for an admission whose saved state is still being read, and other workers do not', async () => {
  executor.carryOut({ type: 'admit', workerId, tasks: [admission(5, true), admission(6, false)] })
  executor.carryOut({ type: 'pauseTasks', workerId, taskIds })
  executor.carryOut({ type: 'grantLease', workerId: 2 as WorkerId })
  expect(asked).toEqual([['grantLease', 2]])
  read.resolve()
  await until('both were asked', () => asked.length === 3)
  expect(asked.slice(1)).toMatchObject([
    [
      'admit',
      workerId,
      [
        { taskId: 5, saved: Buffer.from('state') },
        { taskId: 6, saved: null },
      ],
    ],
    ['pause', workerId, taskIds],
  ])
})

test('a worker whose admission cannot be made is not left half told', async () => {
  executor.carryOut({ type: 'admit', workerId, tasks: [admission(5, true)] })
  read.reject(new Error('The checkpoint is gone.'))
  const [call] = await until('it was killed', () => asked.length > 0 && asked)
  expect(call).toEqual(['kill', workerId, 'a command could not be carried out: Error: The checkpoint is gone.'])
})

function admission(taskId: number, isRestored: boolean): Admission {
  return {
    taskId: taskId as TaskId,
    jobId: 1 as Admission['jobId'],
    class: 'batch',
    order: taskId,
    attempt: 1,
    deadlineAt: null,
    stage: 'inference',
    isHeld: false,
    inputs: [],
    isRestored,
    stepMsMax: null,
  }
}
