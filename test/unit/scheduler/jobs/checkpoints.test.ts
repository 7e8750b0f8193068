import { describe, expect, test } from 'vitest'
import type { TaskId } from '../../../../src/scheduler/ids.ts'
import { pictures, resident } from '../graphs.ts'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

describe('checkpoints', () => {
  test('a task goes on from its newest one after its worker was lost, and the job says from which step', () => {
    const { scheduler, version, worker } = resident()
    const jobId = scheduler.submit(version)
    const { taskId, isRestored } = scheduler.admissions()[0]!
    expect(isRestored).toBe(false)
    scheduler.say({ kind: 'started', taskId })
    scheduler.save(taskId, 5)
    scheduler.save(taskId, 10)
    scheduler.kill(worker)
    expect(scheduler.all('jobRequeued')).toMatchObject([{ jobId, fromStep: 10 }])
    scheduler.pass(10_000)
    scheduler.serve()
    expect(scheduler.admission(taskId)).toMatchObject({ attempt: 2, isRestored: true })
  })

  test('those of several tasks are added up', () => {
    const { scheduler, version, worker } = resident()
    const { task } = scheduler.submitGraph(version, pictures)
    scheduler.done(task.encode)
    scheduler.say({ kind: 'started', taskId: task.denoise1 }, { kind: 'started', taskId: task.denoise2 })
    scheduler.save(task.denoise1, 5)
    scheduler.save(task.denoise2, 10)
    scheduler.kill(worker)
    expect(scheduler.all('jobRequeued')).toMatchObject([{ fromStep: 15 }])
  })

  test('what a worker says of a task that it does not hold is not believed', () => {
    const { scheduler, version, worker } = resident()
    const jobId = scheduler.submit(version)
    const { taskId } = scheduler.admissions()[0]!
    scheduler.fail(jobId, 'engine_error', false)
    scheduler.feed({ type: 'taskCheckpointed', workerId: worker, taskId, step: 5 })
    scheduler.feed({ type: 'taskCheckpointed', workerId: worker, taskId: 9999 as TaskId, step: 5 })
    expect(scheduler.end(jobId)?.type).toBe('jobFailed')
  })

  test('those of a former process come with its jobs', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    const spec = scheduler.spec(scheduler.version())
    const { taskId } = spec.tasks[0]!
    const past = { attempt: 1, failedAttempts: 0, deathsAlone: 0, wasActive: true }
    const wishes = { cancelRequested: false, pauseRequested: false }
    const job = { ...spec, ...past, ...wishes, checkpoints: [{ taskId, step: 15 }] }
    scheduler.feed({ type: 'jobsRecovered', jobs: [job] })
    expect(scheduler.all('jobRequeued')).toMatchObject([{ cause: 'server_restarted', fromStep: 15 }])
    scheduler.serve()
    expect(scheduler.admission(taskId)).toMatchObject({ isRestored: true })
  })

  test('how often they are made, and the share of inference, are said with the policy', () => {
    const { scheduler } = resident({ settings: { checkpointSteps: 3, inferenceShare: 0.4 } })
    expect(scheduler.all('setPolicy')).toMatchObject([{ checkpointSteps: 3, inferenceShare: 0.4 }])
  })
})

describe('postprocessing', () => {
  test('is told when the last inference task is done and others are left', () => {
    const { scheduler, version } = resident()
    const { jobId, task } = scheduler.submitGraph(version, pictures)
    scheduler.done(task.encode)
    scheduler.done(task.denoise1)
    scheduler.done(task.write1)
    expect(scheduler.all('jobPostprocessing')).toEqual([])
    scheduler.done(task.denoise2)
    expect(scheduler.all('jobPostprocessing')).toEqual([{ type: 'jobPostprocessing', jobId }])
    scheduler.done(task.write2)
    expect(scheduler.end(jobId)?.type).toBe('jobSucceeded')
  })

  test('is not told of a job that has no such task', () => {
    const { scheduler, version } = resident()
    scheduler.finish(scheduler.submit(version))
    expect(scheduler.all('jobPostprocessing')).toEqual([])
  })

  test('begins again after a setback, as soon as the job is at work', () => {
    const { scheduler, version } = resident()
    const { jobId, task } = scheduler.submitGraph(version, {
      make: {},
      write: { after: ['make'], stage: 'postprocessing' },
    })
    scheduler.done(task.make)
    scheduler.say({ kind: 'failed', taskId: task.write, code: 'engine_error', retryable: true })
    const commands = scheduler.say({ kind: 'started', taskId: task.write })
    expect(commands).toMatchObject([
      { type: 'jobStarted', jobId, attempt: 2 },
      { type: 'jobPostprocessing', jobId },
    ])
  })

  test('that was paused is resumed as it was', () => {
    const { scheduler, version } = resident()
    const { jobId, task } = scheduler.submitGraph(version, {
      make: {},
      write: { after: ['make'], stage: 'postprocessing' },
    })
    scheduler.done(task.make)
    scheduler.say({ kind: 'started', taskId: task.write })
    scheduler.pause(jobId)
    scheduler.say({ kind: 'paused', taskId: task.write, stateBytes: 0 })
    scheduler.resume(jobId)
    expect(scheduler.all('jobPostprocessing')).toHaveLength(1)
    expect(scheduler.state.jobs.get(jobId)).toMatchObject({ state: 'running', stage: 'postprocessing' })
  })
})
