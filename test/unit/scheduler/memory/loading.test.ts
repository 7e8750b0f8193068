import { describe, expect, test } from 'vitest'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

function withWorker() {
  const scheduler = new SchedulerUnderTest()
  scheduler.device()
  const version = scheduler.version()
  scheduler.serve()
  return { scheduler, version, worker: [...scheduler.state.workers.keys()][0]! }
}

describe('loading', () => {
  test('a job whose model is not resident makes it load, and is LOADING meanwhile', () => {
    const { scheduler, version, worker } = withWorker()
    const job = scheduler.submit(version)
    expect(scheduler.all('load')).toEqual([{ type: 'load', workerId: worker, versionId: version, loadMsMax: null }])
    expect(scheduler.all('jobLoading')).toMatchObject([{ jobId: job, attempt: 1 }])
    scheduler.loaded(worker, version)
    expect(scheduler.jobsAt(worker)).toEqual([job])
  })

  test('only the jobs that could be admitted first are LOADING', () => {
    const { scheduler, version } = withWorker()
    const jobs = [1, 2, 3, 4, 5, 6].map(() => scheduler.submit(version))
    expect(jobs.map((job) => scheduler.stateOf(job))).toEqual([
      'loading',
      'loading',
      'loading',
      'loading',
      'queued',
      'queued',
    ])
  })

  test('the step policy goes out before the first task', () => {
    const { scheduler, version, worker } = withWorker()
    scheduler.submit(version)
    const types = scheduler.loaded(worker, version).map(({ type }) => type)
    expect(types.indexOf('setPolicy')).toBeLessThan(types.indexOf('admit'))
    expect(scheduler.all('setPolicy')).toMatchObject([
      { batchLimit: 2, holdMs: 0, interactiveFirst: true, interruptAfterMs: 5 },
    ])
  })

  test('one version at a time loads on a device, interactive jobs first', () => {
    const { scheduler, version, worker } = withWorker()
    const [batch, interactive] = [scheduler.version(), scheduler.version()]
    scheduler.submit(version)
    scheduler.submit(batch, { class: 'batch' })
    scheduler.submit(interactive)
    expect(scheduler.all('load').map(({ versionId }) => versionId)).toEqual([version])
    scheduler.loaded(worker, version)
    expect(scheduler.all('load').map(({ versionId }) => versionId)).toEqual([version, interactive])
  })

  test('resident models go on working while another loads', () => {
    const { scheduler, version, worker } = withWorker()
    scheduler.submit(version)
    scheduler.loaded(worker, version)
    scheduler.submit(scheduler.version())
    const job = scheduler.submit(version)
    expect(scheduler.jobsAt(worker)).toContain(job)
  })

  test('a load that somebody asked for is made once', () => {
    const { scheduler, version } = withWorker()
    for (let times = 0; times < 3; times += 1)
      scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
    scheduler.serve()
    scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
    expect(scheduler.all('load')).toHaveLength(1)
  })
})

describe('a load fails', () => {
  test('it is tried again after a pause, and the jobs begin another attempt', () => {
    const { scheduler, version, worker } = withWorker()
    const job = scheduler.submit(version)
    scheduler.loadFailed(worker, version)
    expect(scheduler.all('jobRequeued')).toMatchObject([
      { jobId: job, attempt: 2, cause: 'load_failed', failedAttempts: 0 },
    ])
    expect(scheduler.all('load')).toHaveLength(1)
    scheduler.pass(200)
    expect(scheduler.all('load')).toHaveLength(2)
    expect(scheduler.all('jobLoading').at(-1)).toMatchObject({ jobId: job, attempt: 2 })
  })

  test('after three failures the jobs that wait for it fail, and a later job tries anew', () => {
    const { scheduler, version, worker } = withWorker()
    const jobs = [1, 2, 3, 4, 5, 6].map(() => scheduler.submit(version))
    for (let failures = 0; failures < 3; failures += 1) {
      scheduler.loadFailed(worker, version)
      scheduler.pass(5000)
    }
    expect(jobs.map((job) => scheduler.end(job))).toMatchObject(
      jobs.map(() => ({ type: 'jobFailed', code: 'ENGINE_ERROR', retryable: true })),
    )
    scheduler.submit(version)
    expect(scheduler.all('load')).toHaveLength(4)
  })

  test('a failure that cannot heal is not tried again', () => {
    const { scheduler, version, worker } = withWorker()
    const job = scheduler.submit(version)
    scheduler.loadFailed(worker, version, false)
    expect(scheduler.end(job)).toMatchObject({ code: 'ENGINE_ERROR', retryable: false })
  })

  test('a worker that dies while it loads counts as a failed load', () => {
    const { scheduler, version } = withWorker()
    const job = scheduler.submit(version)
    for (let deaths = 0; deaths < 3; deaths += 1) {
      scheduler.kill([...scheduler.state.workers.keys()].at(-1)!)
      scheduler.pass(5000)
      for (const { workerId, state } of scheduler.state.workers.values())
        if (state === 'starting') scheduler.ready(workerId)
    }
    expect(scheduler.all('jobRequeued')[0]).toMatchObject({
      jobId: job,
      cause: 'worker_lost',
      exit: 'signal',
      deathsAlone: 0,
    })
    expect(scheduler.end(job)).toMatchObject({ code: 'WORKER_LOST' })
  })

  test('what was reserved for it is rolled back', () => {
    const { scheduler, version, worker } = withWorker()
    scheduler.submit(version)
    const { allocatedBytes } = [...scheduler.state.devices.values()][0]!
    scheduler.loadFailed(worker, version, false)
    expect([...scheduler.state.devices.values()][0]).toMatchObject({
      allocatedBytes,
      reservedBytes: 0,
      weightsBytes: 0,
    })
    expect(
      scheduler
        .all('allocationChanged')
        .slice(-2)
        .map(({ allocation }) => allocation.state),
    ).toEqual(['rolled_back', 'rolled_back'])
    expect(scheduler.all('residencyEnded')).toMatchObject([{ reason: 'load_failed' }])
  })
})

describe('unloading', () => {
  test('it waits for what runs, and takes back what has not started', () => {
    const { scheduler, version, worker } = withWorker()
    const [running, unstarted] = [scheduler.submit(version), scheduler.submit(version)]
    scheduler.loaded(worker, version)
    scheduler.start(running)
    scheduler.feed({ type: 'unloadRequested', versionId: version, deviceId: null })
    const withdrawn = scheduler.admissions().find(({ jobId }) => jobId === unstarted)!
    expect(scheduler.all('withdraw')).toEqual([{ type: 'withdraw', workerId: worker, taskIds: [withdrawn.taskId] }])
    scheduler.report(worker, { kind: 'withdrawn', taskId: withdrawn.taskId })
    expect(scheduler.all('unload')).toEqual([])
    scheduler.finish(running)
    expect(scheduler.all('unload')).toHaveLength(1)
  })

  test('jobs that wait load the version again after it has gone', () => {
    const { scheduler, version, worker } = withWorker()
    const first = scheduler.submit(version)
    scheduler.loaded(worker, version)
    scheduler.start(first)
    scheduler.feed({ type: 'unloadRequested', versionId: version, deviceId: null })
    const second = scheduler.submit(version)
    expect(scheduler.jobsAt(worker)).toEqual([first])
    scheduler.finish(first)
    scheduler.feed({ type: 'modelUnloaded', workerId: worker, versionId: version })
    expect(scheduler.all('residencyEnded')).toMatchObject([{ reason: 'unloaded' }])
    scheduler.serve()
    expect(scheduler.jobsAt(worker)).toEqual([second])
  })

  test('a version that is still loading is unloaded when it is there', () => {
    const { scheduler, version, worker } = withWorker()
    scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
    scheduler.feed({ type: 'unloadRequested', versionId: version, deviceId: null })
    scheduler.loaded(worker, version)
    expect(scheduler.all('unload')).toHaveLength(1)
  })

  test('its memory is free again once the worker says so, and not before', () => {
    const { scheduler, version } = withWorker()
    scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
    scheduler.serve()
    const [device] = [...scheduler.state.devices.values()]
    scheduler.feed({ type: 'unloadRequested', versionId: version, deviceId: null })
    expect(device!.weightsBytes).toBe(100 * mib)
    scheduler.serve()
    expect(device!.weightsBytes).toBe(0)
  })
})
