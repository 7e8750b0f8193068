import { describe, expect, test } from 'vitest'
import { explainWait } from '../../../../src/scheduler/explain/explain.ts'
import { restore } from '../../../../src/scheduler/snapshot/restore.ts'
import { type Snapshot, snapshot } from '../../../../src/scheduler/snapshot/snapshot.ts'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

/** A resident version whose worker holds as many jobs as it may, the first of them started. */
function withJobs(count = 1) {
  const scheduler = new SchedulerUnderTest()
  scheduler.device()
  const version = scheduler.version()
  const jobs = Array.from({ length: count }, () => scheduler.submit(version))
  scheduler.serve()
  const [first] = jobs
  scheduler.start(first!)
  return { scheduler, version, jobs, first: first!, worker: scheduler.workerOf(version) }
}

/** All jobs that are at workers report that their model is stale; the worker gives the model up. */
function goStale({ scheduler, version, worker, jobs }: ReturnType<typeof withJobs>) {
  const held = jobs.filter((job) => scheduler.state.workers.get(worker)!.residencies.size > 0 && isHeld(scheduler, job))
  scheduler.report(
    worker,
    ...held.flatMap((job) =>
      scheduler.state.jobs
        .get(job)!
        .tasks.map(({ taskId }) => ({ kind: 'failed', taskId, code: 'stale_model', retryable: true }) as const),
    ),
  )
  scheduler.feed({ type: 'modelUnloaded', workerId: worker, versionId: version })
}

function isHeld(scheduler: SchedulerUnderTest, job: ReturnType<typeof withJobs>['first']): boolean {
  return scheduler.state.jobs.get(job)?.tasks.some(({ residency }) => residency !== null) ?? false
}

describe('a worker finds the files of its model changed', () => {
  test('the job begins another attempt that counts against nobody, the model is unloaded and its files are read again', () => {
    const { scheduler, version, first, worker } = withJobs()
    scheduler.fail(first, 'stale_model')
    expect(scheduler.all('jobRequeued')).toMatchObject([
      { jobId: first, attempt: 2, cause: 'stale_model', failedAttempts: 0 },
    ])
    expect(scheduler.all('checkVersion')).toEqual([{ type: 'checkVersion', versionId: version }])
    expect(scheduler.all('unload')).toEqual([{ type: 'unload', workerId: worker, versionId: version }])
  })

  test('nothing is admitted and nothing is loaded until the files have been read', () => {
    const there = withJobs(6)
    const { scheduler, version } = there
    const before = { admissions: scheduler.admissions().length, loads: scheduler.all('load').length }
    goStale(there)
    const later = scheduler.submit(version)
    scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
    scheduler.serve()
    scheduler.pass(60_000)
    expect({ admissions: scheduler.admissions().length, loads: scheduler.all('load').length }).toEqual(before)
    expect(scheduler.wait(later).code).toBe('MODEL_LOADING')
    expect(scheduler.wait(later).reason).toMatch(/^The files of model-\d+ were found changed; they are read again/)
  })

  test('it is asked once, however many tasks find it out', () => {
    const there = withJobs(4)
    goStale(there)
    expect(there.scheduler.all('checkVersion')).toHaveLength(1)
  })

  test('it is not asked again for what the leaving copy still says', () => {
    const { scheduler, version, jobs } = withJobs(2)
    const [first, second] = jobs
    scheduler.start(second!)
    scheduler.fail(first!, 'stale_model')
    scheduler.checked(version, 'intact')
    scheduler.fail(second!, 'stale_model')
    expect(scheduler.all('checkVersion')).toHaveLength(1)
    expect(scheduler.all('jobRequeued')).toHaveLength(2)
  })

  test('a task of the same model that ends well meanwhile has its result; one that has not started is taken back', () => {
    const { scheduler, version, jobs, first, worker } = withJobs(3)
    const [, second, third] = jobs
    scheduler.start(second!)
    scheduler.fail(first, 'stale_model')
    const unstarted = scheduler.state.jobs.get(third!)!.tasks[0]!.taskId
    expect(scheduler.all('withdraw')).toEqual([{ type: 'withdraw', workerId: worker, taskIds: [unstarted] }])
    scheduler.report(worker, { kind: 'withdrawn', taskId: unstarted })
    scheduler.finish(second!)
    expect(scheduler.end(second!)).toMatchObject({ type: 'jobSucceeded' })
    expect(scheduler.all('unload').map(({ versionId }) => versionId)).toEqual([version])
  })

  test('files that were only touched are loaded again, and the jobs go on', () => {
    const there = withJobs(2)
    const { scheduler, version, jobs } = there
    goStale(there)
    scheduler.checked(version, 'intact')
    scheduler.serve()
    expect(scheduler.all('load')).toHaveLength(2)
    scheduler.finish(...jobs)
    expect(jobs.map((job) => scheduler.end(job)?.type)).toEqual(['jobSucceeded', 'jobSucceeded'])
  })

  test('a model that nobody waits for is brought back as well', () => {
    const { scheduler, version, first } = withJobs()
    scheduler.feed({ type: 'cancelRequested', jobId: first })
    scheduler.fail(first, 'stale_model')
    scheduler.serve()
    scheduler.checked(version, 'intact')
    scheduler.serve()
    expect(scheduler.state.versions.get(version)!.residencies.map(({ state }) => state)).toEqual(['resident'])
  })

  test('so is one that somebody wanted loaded when its files were found changed', () => {
    const { scheduler, version, worker } = withIdleWorker()
    scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
    scheduler.loadFailed(worker, version, true, 'stale_model')
    scheduler.checked(version, 'intact')
    scheduler.loaded(worker, version)
    expect(scheduler.state.versions.get(version)!.residencies.map(({ state }) => state)).toEqual(['resident'])
  })

  test('files that are others now are never loaded again, and every job that waits fails', () => {
    const there = withJobs(6)
    const { scheduler, version, jobs } = there
    goStale(there)
    scheduler.checked(version, 'gone')
    scheduler.serve()
    expect(jobs.map((job) => scheduler.end(job))).toMatchObject(
      jobs.map(() => ({ type: 'jobFailed', code: 'MODEL_VERSION_GONE', retryable: false })),
    )
    const late = scheduler.submit(version)
    expect(scheduler.end(late)).toMatchObject({ type: 'jobFailed', code: 'MODEL_VERSION_GONE' })
    expect(scheduler.all('load')).toHaveLength(1)
  })

  test('a job that was cancelled meanwhile is cancelled, and the files are read again all the same', () => {
    const { scheduler, first, version } = withJobs()
    scheduler.feed({ type: 'cancelRequested', jobId: first })
    scheduler.fail(first, 'stale_model')
    expect(scheduler.end(first)).toMatchObject({ type: 'jobCancelled' })
    expect(scheduler.all('checkVersion')).toMatchObject([{ versionId: version }])
  })

  test('a load of such files counts as no failed load, and its jobs begin another attempt', () => {
    const { scheduler, version, worker } = withIdleWorker()
    const job = scheduler.submit(version)
    scheduler.loadFailed(worker, version, true, 'stale_model')
    expect(scheduler.all('jobRequeued')).toMatchObject([{ jobId: job, cause: 'stale_model' }])
    expect(scheduler.all('checkVersion')).toHaveLength(1)
    scheduler.checked(version, 'intact')
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toEqual([job])
    expect(scheduler.state.versions.get(version)!.loadFailures).toBe(0)
  })

  test('a load of such files elsewhere leaves alone what is resident: that watches over itself', () => {
    const { scheduler, version, first } = withJobs()
    const deviceId = scheduler.device()
    scheduler.serve()
    scheduler.feed({ type: 'loadRequested', versionId: version, deviceId })
    const other = [...scheduler.state.workers.values()].find(({ slot }) => slot.device.spec.deviceId === deviceId)!
    scheduler.ready(other.workerId)
    scheduler.loadFailed(other.workerId, version, true, 'stale_model')
    scheduler.checked(version, 'gone')
    expect(scheduler.all('unload')).toEqual([])
    scheduler.finish(first)
    expect(scheduler.end(first)).toMatchObject({ type: 'jobSucceeded' })
  })

  test('what survives a restart of the scheduler in a snapshot includes the question', () => {
    const there = withJobs()
    goStale(there)
    const { scheduler, first } = there
    const copy: Snapshot = JSON.parse(JSON.stringify(snapshot(scheduler.state)))
    expect(copy.versions).toMatchObject([{ standing: 'checking', staleInARow: 1, rewarm: true }])
    expect(copy.jobs).toMatchObject([{ staleAttempts: 1 }])
    expect(snapshot(restore(copy))).toEqual(copy)
    expect(explainWait(restore(copy), first, scheduler.now)).toEqual(scheduler.wait(first))
  })
})

describe('files that are touched again and again', () => {
  test('a job that loses every attempt to it fails after five, and may be tried again by whoever wants', () => {
    const there = withJobs()
    const { scheduler, version, first } = there
    for (let times = 0; times < 5; times += 1) {
      expect(scheduler.end(first)).toBeUndefined()
      goStale(there)
      scheduler.checked(version, 'intact')
      scheduler.pass(5_000)
      scheduler.serve()
    }
    expect(scheduler.end(first)).toMatchObject({ code: 'MODEL_VERSION_GONE', retryable: true })
  })

  test('so it does when others end well in between', () => {
    const there = withJobs()
    const { scheduler, version, first, worker } = there
    for (let times = 0; times < 5; times += 1) {
      expect(scheduler.end(first)).toBeUndefined()
      scheduler.finish(scheduler.submit(version))
      expect(scheduler.jobsAt(worker)).toEqual([first])
      goStale(there)
      scheduler.checked(version, 'intact')
      scheduler.serve()
    }
    expect(scheduler.end(first)).toMatchObject({ code: 'MODEL_VERSION_GONE', retryable: true })
  })

  test('loads are tried ever more slowly, then the jobs that wait fail; a later job tries anew', () => {
    const { scheduler, version, worker } = withIdleWorker()
    const jobs = [1, 2, 3, 4, 5, 6].map(() => scheduler.submit(version))
    const pausesMs: number[] = []
    for (let times = 1; times <= 5; times += 1) {
      scheduler.loadFailed(worker, version, true, 'stale_model')
      const begunAt = scheduler.now
      scheduler.checked(version, 'intact')
      if (times < 5) {
        while (scheduler.all('load').length === times) scheduler.pass(100)
        pausesMs.push(scheduler.now - begunAt)
      }
    }
    expect(pausesMs).toEqual([0, 200, 1000, 1000])
    expect(jobs.map((job) => scheduler.end(job))).toMatchObject(
      jobs.map(() => ({ type: 'jobFailed', code: 'MODEL_VERSION_GONE', retryable: true })),
    )
    scheduler.submit(version)
    scheduler.pass(1000)
    expect(scheduler.all('load')).toHaveLength(6)
  })

  test('a task that ends well begins the count anew', () => {
    const there = withJobs()
    const { scheduler, version, first } = there
    goStale(there)
    scheduler.checked(version, 'intact')
    scheduler.serve()
    expect(scheduler.state.versions.get(version)!.staleInARow).toBe(1)
    scheduler.finish(first)
    expect(scheduler.state.versions.get(version)!.staleInARow).toBe(0)
  })
})

describe('the files of a version are replaced', () => {
  test('what is resident serves every job that was accepted', () => {
    const { scheduler, version, jobs } = withJobs(6)
    scheduler.feed({ type: 'versionReplaced', versionId: version })
    while (jobs.some((job) => scheduler.stateOf(job) !== 'gone'))
      scheduler.finish(...jobs.filter((job) => isHeld(scheduler, job)))
    expect(new Set(jobs.map((job) => scheduler.end(job)?.type))).toEqual(new Set(['jobSucceeded']))
    expect(scheduler.all('load')).toHaveLength(1)
    expect(scheduler.all('checkVersion')).toEqual([])
  })

  test('when it goes, the jobs that are left fail', () => {
    const { scheduler, version, jobs, worker } = withJobs(6)
    scheduler.feed({ type: 'versionReplaced', versionId: version })
    scheduler.kill(worker)
    scheduler.serve()
    expect(jobs.map((job) => scheduler.end(job))).toMatchObject(
      jobs.map(() => ({ type: 'jobFailed', code: 'MODEL_VERSION_GONE' })),
    )
  })

  test('found stale after that, it is gone without another question', () => {
    const there = withJobs(6)
    const { scheduler, version, jobs } = there
    scheduler.feed({ type: 'versionReplaced', versionId: version })
    goStale(there)
    expect(scheduler.all('checkVersion')).toEqual([])
    expect(new Set(jobs.map((job) => scheduler.end(job)?.type))).toEqual(new Set(['jobFailed']))
  })

  test('wishes to load it are dropped, and no new ones are taken', () => {
    const { scheduler, version } = withIdleWorker({ limitBytes: 60 * mib })
    scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
    scheduler.feed({ type: 'versionReplaced', versionId: version })
    scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
    expect(scheduler.state.wanted.size).toBe(0)
    expect(scheduler.state.versions.get(version)!.requests).toEqual([])
  })

  test('registered again, it is loaded again', () => {
    const { scheduler, version, worker } = withIdleWorker()
    scheduler.feed({ type: 'versionReplaced', versionId: version })
    expect(scheduler.end(scheduler.submit(version))).toMatchObject({ code: 'MODEL_VERSION_GONE' })
    scheduler.feed({ type: 'versionRegistered', version: scheduler.state.versions.get(version)!.spec })
    const job = scheduler.submit(version)
    scheduler.loaded(worker, version)
    expect(scheduler.jobsAt(worker)).toEqual([job])
  })

  test('while it has work it goes last when another has waited too long for memory', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ limitBytes: 50 * mib + 260 * mib })
    const [replaced, other, third] = [scheduler.version(), scheduler.version(), scheduler.version()]
    const [kept, yielding] = [scheduler.submit(replaced), scheduler.submit(other)]
    scheduler.serve()
    scheduler.start(kept, yielding)
    scheduler.feed({ type: 'versionReplaced', versionId: replaced })
    scheduler.submit(third)
    scheduler.pass(10_000)
    expect(scheduler.state.versions.get(replaced)!.residencies.map(({ state }) => state)).toEqual(['resident'])
    expect(scheduler.state.versions.get(other)!.residencies.map(({ state }) => state)).toEqual(['evicting'])
  })

  test('idle, it is the first to go', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ limitBytes: 50 * mib + 260 * mib })
    const [older, replaced, third] = [scheduler.version(), scheduler.version(), scheduler.version()]
    for (const version of [older, replaced]) {
      const job = scheduler.submit(version)
      scheduler.serve()
      scheduler.pass(1000)
      scheduler.finish(job)
    }
    scheduler.feed({ type: 'versionReplaced', versionId: replaced })
    scheduler.submit(third)
    expect(scheduler.all('unload').map(({ versionId }) => versionId)).toEqual([replaced])
  })

  test('a job of several tasks that comes then fails when it is accepted', () => {
    const { scheduler, version } = withIdleWorker()
    scheduler.feed({ type: 'versionReplaced', versionId: version })
    expect(scheduler.end(scheduler.submit([version, version], { after: 'chain' }))).toMatchObject({
      type: 'jobFailed',
      code: 'MODEL_VERSION_GONE',
    })
  })
})

function withIdleWorker(device: { readonly limitBytes?: number } = {}) {
  const scheduler = new SchedulerUnderTest()
  scheduler.device(device)
  const version = scheduler.version()
  scheduler.serve()
  return { scheduler, version, worker: [...scheduler.state.workers.keys()][0]! }
}
