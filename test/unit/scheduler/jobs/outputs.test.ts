import { describe, expect, test } from 'vitest'
import { ledgerOf } from '../../../../src/scheduler/memory/ledger.ts'
import { pair, pictures, resident } from '../graphs.ts'
import { mib } from '../scheduler-under-test.ts'

describe('a held output', () => {
  test('is on the books of its job until the last one that takes it has ended', () => {
    const { scheduler, version, worker } = resident()
    const { jobId, task } = scheduler.submitGraph(version, pictures)
    const [deviceId] = [...scheduler.state.devices.keys()]
    const before = ledgerOf(scheduler.state, deviceId!).allocatedBytes
    scheduler.say({ kind: 'done', taskId: task.encode, stepsRun: 1, heldBytes: 3 * mib })
    expect(ledgerOf(scheduler.state, deviceId!).allocatedBytes).toBe(before + 3 * mib)
    expect(scheduler.all('allocationChanged').at(-1)!.allocation).toMatchObject({
      purpose: 'activations',
      state: 'committed',
      sizeBytes: 3 * mib,
      jobId,
      workerId: worker,
    })
    expect(scheduler.done(task.denoise1).map(({ type }) => type)).not.toContain('releaseOutputs')
    expect(scheduler.done(task.denoise2)).toContainEqual({
      type: 'releaseOutputs',
      workerId: worker,
      taskIds: [task.encode],
    })
  })

  test('goes when the job ends, in one letter', () => {
    const { scheduler, version, worker } = resident()
    const { jobId, task } = scheduler.submitGraph(version, pictures)
    scheduler.done(task.encode)
    scheduler.done(task.denoise1)
    const failed = scheduler.say({ kind: 'failed', taskId: task.denoise2, code: 'invalid_request', retryable: false })
    expect(scheduler.end(jobId)).toMatchObject({ type: 'jobFailed', taskId: task.denoise2 })
    expect(failed.filter(({ type }) => type === 'releaseOutputs')).toEqual([
      { type: 'releaseOutputs', workerId: worker, taskIds: [task.encode, task.denoise1] },
    ])
    expect(failed).toContainEqual({ type: 'cancelTasks', workerId: worker, taskIds: [task.write1] })
  })

  test('is not charged to its worker once more when that is measured', () => {
    const { scheduler, version, worker } = resident()
    const { task } = scheduler.submitGraph(version, pair)
    const { runtime } = scheduler.state.workers.get(worker)!
    const privateBytes = 70 * mib
    scheduler.feed({ type: 'workerMeasured', workerId: worker, privateBytes })
    const before = runtime.sizeBytes
    scheduler.say({ kind: 'done', taskId: task.first, stepsRun: 1, heldBytes: 30 * mib })
    scheduler.feed({ type: 'workerMeasured', workerId: worker, privateBytes: privateBytes + 30 * mib })
    expect(runtime.sizeBytes).toBe(before)
  })

  test('of the last task of all is held for nobody', () => {
    const { scheduler, version } = resident()
    const { jobId, task } = scheduler.submitGraph(version, pair)
    scheduler.done(task.first)
    scheduler.done(task.second)
    expect(scheduler.end(jobId)).toMatchObject({ type: 'jobSucceeded', taskId: task.second })
    expect([...scheduler.state.allocations.values()].filter(({ purpose }) => purpose === 'activations')).toEqual([])
  })
})

describe('a held output is lost', () => {
  test('with its worker: it is made again, and so is what it was made from; what had come out stays', () => {
    const { scheduler, version, worker } = resident()
    const { jobId, task } = scheduler.submitGraph(version, pictures)
    scheduler.done(task.encode)
    scheduler.done(task.denoise1, task.denoise2)
    scheduler.done(task.write1)
    scheduler.kill(worker, 'requested')
    expect(scheduler.all('jobRequeued')).toMatchObject([{ jobId, cause: 'worker_lost', attempt: 2 }])
    expect(scheduler.all('releaseOutputs').flatMap(({ taskIds }) => taskIds)).not.toContain(task.denoise2)
    scheduler.serve()
    scheduler.done(task.encode)
    scheduler.done(task.denoise2)
    scheduler.done(task.write2)
    expect(scheduler.end(jobId)?.type).toBe('jobSucceeded')
    const again = scheduler.admissions().filter(({ attempt }) => attempt === 2)
    expect(again.map(({ taskId }) => taskId)).toEqual([task.encode, task.denoise2, task.write2])
  })

  test('and nobody wants it any more: nothing is made again', () => {
    const { scheduler, version, worker } = resident()
    const { task } = scheduler.submitGraph(version, pair)
    scheduler.done(task.first)
    const outputs = [task.first, task.second].map((taskId) => scheduler.task(taskId).heldOutput)
    expect(outputs).toEqual([expect.anything(), null])
    scheduler.done(task.second)
    scheduler.kill(worker)
    expect(scheduler.all('jobRequeued')).toEqual([])
  })

  test('in a worker that lives: who missed it has failed once, and the producer runs again before it', () => {
    const { scheduler, version } = resident()
    const { jobId, task } = scheduler.submitGraph(version, pair)
    scheduler.done(task.first)
    scheduler.say({ kind: 'failed', taskId: task.second, code: 'input_missing', retryable: true })
    expect(scheduler.all('jobRequeued')).toMatchObject([{ jobId, cause: 'engine_error', failedAttempts: 1 }])
    expect(scheduler.admissions().at(-1)).toMatchObject({ taskId: task.first, attempt: 2 })
    scheduler.done(task.first)
    scheduler.done(task.second)
    expect(scheduler.end(jobId)?.type).toBe('jobSucceeded')
  })

  test('again and again: the job fails when its attempts are used up', () => {
    const { scheduler, version } = resident({ settings: { attemptLimit: 2 } })
    const { jobId, task } = scheduler.submitGraph(version, pair)
    for (let failures = 0; failures < 2; failures += 1) {
      scheduler.done(task.first)
      scheduler.say({ kind: 'failed', taskId: task.second, code: 'input_missing', retryable: true })
    }
    expect(scheduler.end(jobId)).toMatchObject({ type: 'jobFailed', code: 'ENGINE_ERROR', retryable: true })
  })
})

describe('tasks of one job that fail together', () => {
  test('are one failed attempt, and the others stay at work', () => {
    const { scheduler, version } = resident()
    const { jobId, task } = scheduler.submitGraph(version, {
      encode: {},
      a: { after: ['encode'] },
      b: { after: ['encode'] },
      c: { after: ['encode'] },
    })
    scheduler.done(task.encode)
    scheduler.say({ kind: 'started', taskId: task.c })
    const failure = { kind: 'failed', code: 'engine_error', retryable: true } as const
    const commands = scheduler.say({ ...failure, taskId: task.a }, { ...failure, taskId: task.b })
    expect(commands).toMatchObject([
      { type: 'jobRequeued', jobId, attempt: 2, failedAttempts: 1 },
      { type: 'jobStarted', jobId, attempt: 2 },
      { type: 'admit', tasks: [{ taskId: task.a }, { taskId: task.b }] },
    ])
    expect(scheduler.stateOf(jobId)).toBe('running')
  })
})
