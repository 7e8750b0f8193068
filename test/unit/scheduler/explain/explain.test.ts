import { describe, expect, test } from 'vitest'
import { queueView } from '../../../../src/scheduler/explain/queue-view.ts'
import type { UserId } from '../../../../src/scheduler/ids.ts'
import { loadMs, mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

function resident(batchLimit = 2, holdMs = 0) {
  const scheduler = new SchedulerUnderTest()
  scheduler.device({ name: 'cpu' })
  const version = scheduler.version({ batchLimit, holdMs, modelName: 'smollm2' })
  scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
  scheduler.serve()
  return { scheduler, version }
}

describe('why a job waits', () => {
  test('there is no device', () => {
    const scheduler = new SchedulerUnderTest()
    expect(scheduler.wait(scheduler.submit(scheduler.version()))).toMatchObject({ code: 'NO_DEVICE', queuePosition: 1 })
  })

  test('its engine is starting', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ name: 'cpu' })
    const job = scheduler.submit(scheduler.version({ modelName: 'smollm2' }))
    expect(scheduler.wait(job)).toMatchObject({
      code: 'MODEL_LOADING',
      reason: 'The onnx engine is starting on cpu; smollm2 loads after that.',
      estimatedStartAt: null,
    })
  })

  test('its model is loading, with the time left once a load has been seen', () => {
    const { scheduler, version } = resident()
    scheduler.feed({ type: 'unloadRequested', versionId: version, deviceId: null })
    scheduler.serve()
    const job = scheduler.submit(version)
    scheduler.pass(20)
    expect(scheduler.wait(job)).toEqual({
      code: 'MODEL_LOADING',
      reason: 'smollm2 is loading on cpu, about 0.1 s left.',
      queuePosition: 1,
      estimatedStartAt: scheduler.now + loadMs - 20,
    })
    scheduler.pass(loadMs)
    expect(scheduler.wait(job)).toMatchObject({ reason: 'smollm2 is loading on cpu.', estimatedStartAt: null })
  })

  test('its model waits for another to be loaded: the time is that of both loads, once they have been seen', () => {
    const { scheduler, version } = resident()
    const other = scheduler.version({ modelName: 'minilm' })
    scheduler.feed({ type: 'unloadRequested', versionId: version, deviceId: null })
    scheduler.serve()
    scheduler.feed({ type: 'loadRequested', versionId: other, deviceId: null })
    expect(scheduler.all('load')).toHaveLength(2)
    const job = scheduler.submit(version)
    expect(scheduler.wait(job)).toMatchObject({
      code: 'MODEL_LOADING',
      reason: expect.stringContaining('is loading minilm first'),
    })
    const { estimatedStartAt } = scheduler.wait(job)
    expect(estimatedStartAt).toBeGreaterThanOrEqual(scheduler.now + loadMs)
    expect(estimatedStartAt).toBeLessThan(scheduler.now + 4 * loadMs)
  })

  test('its model is loading for the first time: no time is guessed', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ name: 'cpu' })
    const version = scheduler.version({ modelName: 'smollm2' })
    scheduler.serve()
    expect(scheduler.wait(scheduler.submit(version))).toMatchObject({
      reason: 'smollm2 is loading on cpu.',
      estimatedStartAt: null,
    })
  })

  test('another model loads first', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ name: 'cpu' })
    const [first, second] = [scheduler.version({ modelName: 'minilm' }), scheduler.version({ modelName: 'smollm2' })]
    scheduler.ready(scheduler.all('spawnWorker')[0]!.workerId)
    scheduler.submit(first)
    const job = scheduler.submit(second)
    expect(scheduler.wait(job)).toMatchObject({
      code: 'MODEL_LOADING',
      reason: 'smollm2 is not loaded; cpu is loading minilm first.',
    })
  })

  test('a load failed and is tried again', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    const version = scheduler.version({ modelName: 'smollm2' })
    const job = scheduler.submit(version)
    scheduler.ready(scheduler.all('spawnWorker')[0]!.workerId)
    scheduler.loadFailed(scheduler.workerOf(version), version)
    expect(scheduler.wait(job).reason).toBe('smollm2 could not be loaded; it is tried again in 0.2 s.')
  })

  test('memory is short because of what is pinned', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ name: 'cpu', limitBytes: 500 * mib })
    const pinned = scheduler.version({ modelName: 'minilm', weightsBytes: 200 * mib })
    scheduler.feed({ type: 'pinRequested', versionId: pinned, deviceId: null, pinned: true })
    scheduler.serve()
    const job = scheduler.submit(scheduler.version({ modelName: 'smollm2', weightsBytes: 300 * mib }))
    expect(scheduler.wait(job)).toMatchObject({
      code: 'MEMORY',
      reason: expect.stringMatching(/^smollm2 needs 320 MiB on cpu, where \d+ MiB are free; minilm is pinned\.$/),
    })
  })

  test('its device serves jobs in order, and another model is first', () => {
    const scheduler = new SchedulerUnderTest({ queueOrder: 'arrival' })
    scheduler.device({ name: 'cpu' })
    const [first, second] = [scheduler.version({ modelName: 'minilm' }), scheduler.version({ modelName: 'smollm2' })]
    const jobs = [scheduler.submit(first), scheduler.submit(second)]
    expect(scheduler.wait(jobs[1]!)).toMatchObject({
      code: 'BEHIND_OTHERS',
      reason: 'cpu serves jobs in the order in which they came; 1 job is ahead.',
      estimatedStartAt: null,
    })
    expect(scheduler.wait(jobs[0]!)).toMatchObject({ code: 'MODEL_LOADING' })
  })

  test('it was given a device, where others are ahead', () => {
    const scheduler = new SchedulerUnderTest({ routing: 'round-robin' })
    scheduler.device({ name: 'cpu' })
    const version = scheduler.version({ modelName: 'smollm2', batchLimit: 1 })
    const jobs = [1, 2, 3, 4].map(() => scheduler.submit(version))
    scheduler.serve()
    expect(scheduler.wait(jobs[3]!)).toMatchObject({
      code: 'BEHIND_OTHERS',
      reason: '3 jobs are ahead on cpu; 0 jobs are running in smollm2 there.',
    })
  })

  test('it is the turn of others', () => {
    const { scheduler, version } = resident(1)
    const greedy = { userId: 1 as UserId }
    for (let count = 0; count < 6; count += 1) scheduler.submit(version, greedy)
    const last = scheduler.submit(version, greedy)
    scheduler.pass(10)
    scheduler.submit(version, { userId: 2 as UserId })
    scheduler.pass(5)
    expect(scheduler.queue().lanes[0]).toMatchObject({ class: 'interactive', oldestQueuedMs: 15 })
    expect(scheduler.wait(last)).toMatchObject({
      code: 'FAIR_SHARE',
      reason: expect.stringMatching(
        /^This user has had its share for now.* and it is the turn of others\. \d+ jobs are ahead/,
      ),
    })
  })

  test('memory is short', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ name: 'cpu', limitBytes: 500 * mib })
    scheduler.submit(scheduler.version({ weightsBytes: 250 * mib }))
    scheduler.serve()
    const job = scheduler.submit(scheduler.version({ weightsBytes: 300 * mib, modelName: 'smollm2' }))
    expect(scheduler.wait(job)).toMatchObject({
      code: 'MEMORY',
      reason: 'smollm2 needs 320 MiB on cpu, where 180 MiB are free; model-3 is in use.',
      estimatedStartAt: null,
    })
  })

  test('the engine dies again and again', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ name: 'cpu' })
    const job = scheduler.submit(scheduler.version({ modelName: 'smollm2' }))
    for (let deaths = 0; deaths < 2; deaths += 1)
      scheduler.kill([...scheduler.state.workers.keys()][0]!, 'spawn_failed')
    expect(scheduler.wait(job)).toMatchObject({
      code: 'NO_DEVICE',
      reason: 'The onnx engine died 2 times in a row on cpu; it is started again in 0.1 s.',
    })
  })

  test('others are ahead, counted', () => {
    const { scheduler, version } = resident()
    const jobs = [1, 2, 3, 4, 5, 6].map(() => scheduler.submit(version))
    scheduler.start(jobs[0]!, jobs[1]!)
    expect(scheduler.wait(jobs[5]!)).toMatchObject({
      code: 'BEHIND_OTHERS',
      reason: '3 jobs are ahead; 2 jobs are running in smollm2.',
      queuePosition: 4,
    })
    expect(scheduler.wait(jobs[2]!)).toMatchObject({
      code: 'BEHIND_OTHERS',
      reason: 'It is next; 2 jobs are running in smollm2 on cpu.',
    })
  })

  test('it is about to join a step', () => {
    const { scheduler, version } = resident()
    expect(scheduler.wait(scheduler.submit(version))).toMatchObject({
      code: 'BATCH_FORMING',
      estimatedStartAt: scheduler.now,
    })
  })

  test('it waits for company', () => {
    const { scheduler, version } = resident(4, 5)
    expect(scheduler.wait(scheduler.submit(version)).reason).toBe(
      'It waits up to 5 ms for others to share its step on cpu.',
    )
  })

  test('it is a suspect, and others wait until it has run', () => {
    const { scheduler, version } = resident()
    const jobs = [1, 2, 3].map(() => scheduler.submit(version))
    scheduler.start(jobs[0]!, jobs[1]!)
    scheduler.kill(scheduler.workerOf(version))
    scheduler.serve()
    expect(scheduler.wait(jobs[1]!).reason).toMatch(/^A worker died while the job ran, so it is tried again alone\./)
    expect(scheduler.wait(jobs[2]!).reason).toMatch(/^A job that a worker died with runs alone first\./)
  })

  test('the server stops, or has just come back', () => {
    const { scheduler, version } = resident()
    scheduler.feed({ type: 'drainRequested' })
    expect(scheduler.wait(scheduler.submit(version))).toMatchObject({
      code: 'SERVER_RECOVERING',
      estimatedStartAt: null,
    })
    const restarted = new SchedulerUnderTest()
    restarted.device()
    expect(restarted.wait(restarted.recover(restarted.version())).code).toBe('SERVER_RECOVERING')
  })
})

describe('when a job will start', () => {
  test('is known from the pace under load, and null before that was seen', () => {
    const { scheduler, version } = resident()
    const jobs = Array.from({ length: 10 }, () => scheduler.submit(version))
    scheduler.start(jobs[0]!, jobs[1]!)
    expect(scheduler.wait(jobs[9]!).estimatedStartAt).toBeNull()
    scheduler.pass(100)
    scheduler.finish(jobs[0]!, jobs[1]!)
    scheduler.start(jobs[2]!, jobs[3]!)
    // 50 ms for each task; jobs 4 to 8 are ahead, and two are running.
    expect(scheduler.wait(jobs[9]!).estimatedStartAt).toBe(scheduler.now + 6 * 50)
  })
})

describe('the queue', () => {
  test('counts lanes and models and lists what is next: interactive first', () => {
    const { scheduler, version } = resident()
    const other = scheduler.version({ engine: 'llama_cpp' })
    const batch = [1, 2].map(() => scheduler.submit(version, { class: 'batch' }))
    scheduler.pass(30)
    const interactive = [scheduler.submit(other), scheduler.submit(version)]
    scheduler.start(batch[0]!)
    const view = queueView(scheduler.state, scheduler.now, 100)
    expect(view).toMatchObject({
      limit: 100,
      lanes: [
        { class: 'interactive', queued: 2, running: 0, paused: 0, oldestQueuedMs: 0 },
        { class: 'batch', queued: 1, running: 1, paused: 0, oldestQueuedMs: 30 },
      ],
      models: [
        { versionId: version, queued: 2, oldestQueuedMs: 30, estimatedStartAt: scheduler.now },
        { versionId: other, queued: 1, oldestQueuedMs: 0, estimatedStartAt: null },
      ],
    })
    expect(view.next(10)).toEqual([...interactive, batch[1]])
    expect(view.next(1)).toEqual([interactive[0]])
  })

  test('the place of a job is its place in that list', () => {
    const { scheduler, version } = resident(1)
    for (let count = 0; count < 20; count += 1)
      scheduler.submit(version, { class: count % 3 === 0 ? 'batch' : 'interactive' })
    const next = queueView(scheduler.state, scheduler.now, 100).next(100)
    expect(next.map((job) => scheduler.wait(job).queuePosition)).toEqual(next.map((_, index) => index + 1))
  })
})
