import { describe, expect, test } from 'vitest'
import type { SchedulerSettings } from '../../../../src/scheduler/settings.ts'
import { pair, pictures, resident } from '../graphs.ts'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

/** One job whose task has done some steps. */
function running(settings: Partial<SchedulerSettings> = {}) {
  const { scheduler, version, worker } = resident({ settings })
  const jobId = scheduler.submit(version)
  const { taskId } = scheduler.admissions().at(-1)!
  scheduler.say({ kind: 'started', taskId })
  scheduler.say({ kind: 'step', taskId, done: 7, total: 20 })
  return { scheduler, version, worker, jobId, taskId }
}

/** As `running`, and paused there. */
function pausedThere(settings: Partial<SchedulerSettings> = {}) {
  const world = running(settings)
  const { scheduler, jobId, taskId } = world
  scheduler.pause(jobId)
  scheduler.save(taskId, 7)
  scheduler.say({ kind: 'paused', taskId, stateBytes: 2 * mib })
  return world
}

describe('pausing', () => {
  test('a job that waits is paused at once, and is in nobody’s way', () => {
    const scheduler = new SchedulerUnderTest()
    const version = scheduler.version()
    const [first, second] = [scheduler.submit(version), scheduler.submit(version)]
    expect(scheduler.pause(first)).toEqual([{ type: 'jobPaused', jobId: first, cause: 'requested' }])
    expect(scheduler.wait(second).queuePosition).toBe(1)
    expect(scheduler.stateOf(first)).toBe('paused')
  })

  test('a job whose model loads for it is paused at once, and the load goes on', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    const version = scheduler.version()
    const jobId = scheduler.submit(version)
    scheduler.ready(scheduler.all('spawnWorker')[0]!.workerId)
    expect(scheduler.stateOf(jobId)).toBe('loading')
    scheduler.pause(jobId)
    scheduler.serve()
    expect(scheduler.admissions()).toEqual([])
    expect(scheduler.resume(jobId)).toMatchObject([
      { type: 'jobResumed', jobId, deviceId: null },
      { type: 'admit', tasks: [{ jobId, attempt: 1, isRestored: false }] },
    ])
  })

  test('a job at work is paused when its worker says so, and its state is on the books', () => {
    const { scheduler, worker, jobId, taskId } = running()
    expect(scheduler.pause(jobId)).toEqual([{ type: 'pauseTasks', workerId: worker, taskIds: [taskId] }])
    expect(scheduler.stateOf(jobId)).toBe('running')
    const commands = scheduler.say({ kind: 'paused', taskId, stateBytes: 2 * mib })
    expect(commands).toMatchObject([
      {
        type: 'allocationChanged',
        allocation: { purpose: 'paused_state', state: 'committed', sizeBytes: 2 * mib, jobId },
      },
      { type: 'jobPaused', jobId },
    ])
    expect(scheduler.resume(jobId)).toMatchObject([
      { type: 'allocationChanged', allocation: { purpose: 'paused_state', state: 'released' } },
      { type: 'jobResumed', jobId, deviceId: expect.any(Number) },
      { type: 'resumeTasks', workerId: worker, taskIds: [taskId] },
    ])
    expect(scheduler.stateOf(jobId)).toBe('running')
  })

  test('what has not started is taken back rather than kept', () => {
    const { scheduler, version, worker } = resident()
    const jobId = scheduler.submit(version)
    const { taskId } = scheduler.admissions()[0]!
    expect(scheduler.pause(jobId)).toEqual([
      { type: 'withdraw', workerId: worker, taskIds: [taskId] },
      { type: 'pauseTasks', workerId: worker, taskIds: [taskId] },
    ])
    expect(scheduler.say({ kind: 'withdrawn', taskId })).toEqual([{ type: 'jobPaused', jobId, cause: 'requested' }])
    expect(scheduler.resume(jobId)).toMatchObject([{ type: 'jobResumed', deviceId: null }, { type: 'admit' }])
  })

  test('a job of several tasks is paused with the last of them', () => {
    const { scheduler, version } = resident()
    const { jobId, task } = scheduler.submitGraph(version, pictures)
    scheduler.done(task.encode)
    scheduler.say({ kind: 'started', taskId: task.denoise1 }, { kind: 'started', taskId: task.denoise2 })
    scheduler.pause(jobId)
    scheduler.say({ kind: 'paused', taskId: task.denoise1, stateBytes: 0 })
    expect(scheduler.all('jobPaused')).toEqual([])
    scheduler.done(task.denoise2)
    expect(scheduler.all('jobPaused')).toHaveLength(1)
    expect(scheduler.admission(task.write2)).toBeUndefined()
    scheduler.resume(jobId)
    expect(scheduler.admission(task.write2)).toMatchObject({ inputs: [task.denoise2] })
  })

  test('a job that is done before it could be paused has its result', () => {
    const { scheduler, jobId, taskId } = running()
    scheduler.pause(jobId)
    scheduler.done(taskId)
    expect(scheduler.end(jobId)?.type).toBe('jobSucceeded')
    expect(scheduler.all('jobPaused')).toEqual([])
  })

  test('asking twice, or to resume what was not paused, changes nothing', () => {
    const { scheduler, jobId } = running()
    expect(scheduler.resume(jobId)).toEqual([])
    scheduler.pause(jobId)
    expect(scheduler.pause(jobId)).toEqual([])
    scheduler.feed({ type: 'cancelRequested', jobId })
    expect(scheduler.resume(jobId)).toEqual([])
  })

  test('who changes his mind before the worker has answered: the answer is waited for, then it goes on, and nobody was told', () => {
    const { scheduler, worker, jobId, taskId } = running()
    scheduler.pause(jobId)
    expect(scheduler.resume(jobId)).toEqual([])
    expect(scheduler.pause(jobId)).toEqual([])
    scheduler.resume(jobId)
    expect(scheduler.say({ kind: 'paused', taskId, stateBytes: mib })).toEqual([
      { type: 'resumeTasks', workerId: worker, taskIds: [taskId] },
    ])
    expect(scheduler.stateOf(jobId)).toBe('running')
  })

  test('a job that is paused takes no place of others in its worker', () => {
    const { scheduler, version, worker } = resident({ batchLimit: 1 })
    const jobs = [scheduler.submit(version), scheduler.submit(version)]
    for (const { taskId } of scheduler.admissions()) scheduler.say({ kind: 'started', taskId })
    for (const jobId of jobs) scheduler.pause(jobId)
    for (const { taskId } of scheduler.admissions()) scheduler.say({ kind: 'paused', taskId, stateBytes: 0 })
    const others = [scheduler.submit(version), scheduler.submit(version)]
    expect(scheduler.jobsAt(worker)).toEqual([...jobs, ...others])
  })
})

describe('a paused job ends', () => {
  test('when it is cancelled and its worker has dropped it', () => {
    const { scheduler, worker, jobId, taskId } = pausedThere()
    expect(scheduler.feed({ type: 'cancelRequested', jobId })).toEqual([
      { type: 'cancelTasks', workerId: worker, taskIds: [taskId] },
    ])
    expect(scheduler.say({ kind: 'cancelled', taskId })).toContainEqual({ type: 'jobCancelled', jobId })
    expect([...scheduler.state.allocations.values()].some(({ purpose }) => purpose === 'paused_state')).toBe(false)
  })

  test('at its deadline, also while a worker keeps it', () => {
    const { scheduler, version } = resident()
    const jobId = scheduler.submit(version, { deadlineAt: scheduler.now + 500 })
    const { taskId } = scheduler.admissions()[0]!
    scheduler.say({ kind: 'started', taskId })
    scheduler.pause(jobId)
    scheduler.say({ kind: 'paused', taskId, stateBytes: 0 })
    scheduler.pass(500)
    expect(scheduler.end(jobId)).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    expect(scheduler.all('cancelTasks')).toHaveLength(1)
  })
})

describe('the place of a paused job goes', () => {
  test('when its model is unloaded: the worker drops the state, and the job goes on from its checkpoint elsewhere', () => {
    const { scheduler, version, worker, jobId, taskId } = pausedThere()
    expect(scheduler.feed({ type: 'unloadRequested', versionId: version, deviceId: null })).toContainEqual({
      type: 'cancelTasks',
      workerId: worker,
      taskIds: [taskId],
    })
    scheduler.say({ kind: 'cancelled', taskId })
    expect(scheduler.all('unload')).toHaveLength(1)
    expect(scheduler.stateOf(jobId)).toBe('paused')
    scheduler.serve()
    scheduler.resume(jobId)
    scheduler.serve()
    expect(scheduler.admissions().at(-1)).toMatchObject({ taskId, attempt: 1, isRestored: true })
    expect(scheduler.all('jobRequeued')).toEqual([])
  })

  test('when another model needs the memory: a model that only keeps paused jobs is idle', () => {
    const { scheduler, version, jobId } = pausedThere()
    const other = scheduler.version({ weightsBytes: 3200 * mib, workingBytes: 750 * mib })
    // What has just been loaded stays for a moment.
    scheduler.pass(1000)
    scheduler.submit(other)
    expect(scheduler.all('cancelTasks')).toHaveLength(1)
    const [task] = scheduler.state.jobs.get(jobId)!.tasks
    scheduler.say({ kind: 'cancelled', taskId: task!.taskId })
    scheduler.serve()
    expect(scheduler.workerOf(other)).toBeDefined()
    expect(scheduler.state.versions.get(version)!.residencies).toEqual([])
  })

  test('with its worker: it stays paused, nobody is blamed, and what is lost is told when it goes on', () => {
    const { scheduler, worker, jobId, taskId } = pausedThere()
    scheduler.resume(jobId)
    scheduler.say({ kind: 'step', taskId, done: 9, total: 20 })
    scheduler.pause(jobId)
    // This time it could not be saved.
    scheduler.say({ kind: 'paused', taskId, stateBytes: mib })
    const lost = scheduler.kill(worker)
    expect(lost.map(({ type }) => type)).not.toContain('jobRequeued')
    expect(scheduler.stateOf(jobId)).toBe('paused')
    scheduler.pass(10_000)
    scheduler.serve()
    expect(scheduler.resume(jobId).slice(0, 2)).toMatchObject([
      { type: 'jobResumed', deviceId: null },
      { type: 'jobRequeued', attempt: 2, cause: 'worker_lost', fromStep: 7, failedAttempts: 0, deathsAlone: 0 },
    ])
    scheduler.serve()
    expect(scheduler.admissions().at(-1)).toMatchObject({ taskId, attempt: 2, isRestored: true })
  })

  test('with its worker, just saved: nothing is lost, and it goes on as if nothing had been', () => {
    const { scheduler, worker, jobId } = pausedThere()
    scheduler.kill(worker)
    scheduler.pass(10_000)
    scheduler.resume(jobId)
    expect(scheduler.all('jobRequeued')).toEqual([])
  })

  test('with outputs that it held: they are made again', () => {
    const { scheduler, version, worker } = resident()
    const { jobId, task } = scheduler.submitGraph(version, pair)
    scheduler.done(task.first)
    scheduler.pause(jobId)
    scheduler.say({ kind: 'withdrawn', taskId: task.second })
    scheduler.kill(worker)
    scheduler.pass(10_000)
    scheduler.resume(jobId)
    scheduler.serve()
    expect(scheduler.admissions().at(-1)).toMatchObject({ taskId: task.first, attempt: 2 })
  })

  test('when it is to go on while a suspect has its worker alone: it waits, and begins again from its checkpoint', () => {
    const { scheduler, version, worker, jobId, taskId } = pausedThere()
    const suspect = scheduler.recover(version, { deathsAlone: 1, attempt: 1 })
    expect(scheduler.jobsAt(worker)).toEqual([jobId, suspect])
    expect(scheduler.resume(jobId)).toMatchObject([
      { type: 'jobResumed', deviceId: null },
      { type: 'cancelTasks', taskIds: [taskId] },
    ])
    scheduler.say({ kind: 'cancelled', taskId })
    scheduler.finish(suspect)
    expect(scheduler.admissions().at(-1)).toMatchObject({ taskId, isRestored: true })
  })
})

describe('paused jobs and the server', () => {
  test('one that is resumed while the server stops waits for the next one', () => {
    const { scheduler, jobId, taskId } = pausedThere()
    scheduler.feed({ type: 'drainRequested' })
    expect(scheduler.resume(jobId)).toMatchObject([
      { type: 'jobResumed', deviceId: null },
      { type: 'cancelTasks', taskIds: [taskId] },
    ])
    expect(scheduler.say({ kind: 'cancelled', taskId }).map(({ type }) => type)).not.toContain('admit')
  })

  test('one of a former process is paused still', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    const version = scheduler.version()
    const jobId = scheduler.recover(version, { attempt: 2, pauseRequested: true })
    scheduler.serve()
    expect(scheduler.stateOf(jobId)).toBe('paused')
    expect(scheduler.all('jobPaused')).toHaveLength(1)
    expect(scheduler.admissions()).toEqual([])
    expect(scheduler.resume(jobId).slice(0, 2)).toMatchObject([
      { type: 'jobResumed' },
      { type: 'jobRequeued', attempt: 3 },
    ])
  })

  test('one that was still at work when the server stopped is set back first', () => {
    const scheduler = new SchedulerUnderTest()
    const jobId = scheduler.recover(scheduler.version(), { attempt: 1, pauseRequested: true, wasActive: true })
    expect(scheduler.commands).toMatchObject([
      { type: 'jobRequeued', jobId, attempt: 2, cause: 'server_restarted' },
      { type: 'jobPaused', jobId },
    ])
  })
})

describe('what a user reads', () => {
  test('a paused job says who keeps it', () => {
    const { scheduler, jobId } = pausedThere()
    const waiting = scheduler.wait(jobId)
    expect(waiting).toMatchObject({ code: 'PAUSED', queuePosition: null, estimatedStartAt: null })
    expect(waiting.reason).toMatch(/^It was paused on request\. cpu-\d+ keeps its state/)
  })

  test('a paused job at no worker says where it goes on', () => {
    const { scheduler, worker, jobId } = pausedThere()
    scheduler.kill(worker)
    expect(scheduler.wait(jobId).reason).toBe(
      'It was paused on request, and waits for a place again when it is resumed. It then goes on from its checkpoint.',
    )
  })

  test('paused jobs are counted in their lane', () => {
    const { scheduler } = pausedThere()
    expect(scheduler.queue().lanes).toMatchObject([
      { class: 'interactive', queued: 0, running: 0, paused: 1 },
      { class: 'batch', paused: 0 },
    ])
  })
})
