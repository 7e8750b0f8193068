import { describe, expect, test } from 'vitest'
import { loadMs, mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

/** A device on which two of these models fit, and three do not. */
function crowded() {
  const scheduler = new SchedulerUnderTest()
  scheduler.device({ name: 'cpu', limitBytes: 700 * mib })
  const versions = [1, 2, 3].map(() => scheduler.version({ weightsBytes: 250 * mib }))
  for (const versionId of versions.slice(0, 2)) {
    scheduler.feed({ type: 'loadRequested', versionId, deviceId: null })
    scheduler.serve()
    scheduler.pass(1000)
  }
  return { scheduler, old: versions[0]!, young: versions[1]!, newcomer: versions[2]! }
}

describe('making room', () => {
  test('the model that was used least recently goes', () => {
    const { scheduler, old, young, newcomer } = crowded()
    const job = scheduler.submit(old)
    scheduler.finish(job)
    scheduler.submit(newcomer)
    expect(scheduler.all('unload').map(({ versionId }) => versionId)).toEqual([young])
    scheduler.serve()
    expect(scheduler.all('residencyEnded')).toMatchObject([{ versionId: young, reason: 'evicted' }])
    expect(scheduler.jobsAt(scheduler.workerOf(newcomer))).toHaveLength(1)
  })

  test('a model with work stays, and the newcomer waits for it', () => {
    const { scheduler, old, young, newcomer } = crowded()
    const jobs = [scheduler.submit(old), scheduler.submit(young)]
    const waiting = scheduler.submit(newcomer)
    expect(scheduler.all('unload')).toEqual([])
    expect(scheduler.wait(waiting).code).toBe('MEMORY')
    scheduler.finish(jobs[0]!)
    expect(scheduler.all('unload').map(({ versionId }) => versionId)).toEqual([old])
  })

  test('no more goes than is needed', () => {
    const { scheduler, newcomer } = crowded()
    scheduler.submit(newcomer)
    scheduler.serve()
    expect(scheduler.all('unload')).toHaveLength(1)
  })

  test('nothing goes when it would not help', () => {
    const { scheduler } = crowded()
    scheduler.feed({
      type: 'deviceMeasured',
      deviceId: [...scheduler.state.devices.keys()][0]!,
      externalBytes: 100 * mib,
      stallShare: 0,
    })
    scheduler.submit(scheduler.version({ weightsBytes: 550 * mib }))
    expect(scheduler.all('unload')).toEqual([])
  })

  test('what becomes free is for the most urgent, not for whoever is small enough', () => {
    const { scheduler, newcomer } = crowded()
    scheduler.submit(newcomer)
    const small = scheduler.submit(scheduler.version({ weightsBytes: 60 * mib, modelName: 'tiny' }), { class: 'batch' })
    expect(scheduler.all('unload')).toHaveLength(1)
    expect(scheduler.wait(small)).toMatchObject({
      code: 'MEMORY',
      reason: expect.stringMatching(/^What is free on cpu is kept for model-\d+, which goes before tiny\.$/),
    })
    scheduler.serve()
    const [, , third] = scheduler.all('load')
    expect(third!.versionId).toBe(newcomer)
  })

  test('processes that hold nothing go before models', () => {
    const scheduler = new SchedulerUnderTest({ sparesPerEngine: 1 })
    scheduler.device({ limitBytes: 500 * mib })
    const version = scheduler.version({ weightsBytes: 250 * mib })
    scheduler.submit(version)
    scheduler.serve()
    const spare = scheduler.all('spawnWorker').find((spawn) => spawn.spare)!
    const next = scheduler.submit(scheduler.version({ weightsBytes: 130 * mib }))
    expect(scheduler.all('stopWorker').map(({ workerId }) => workerId)).toEqual([spare.workerId])
    expect(scheduler.all('unload')).toEqual([])
    scheduler.serve()
    expect(scheduler.stateOf(next)).toBe('loading')
  })
})

describe('two models that do not fit together', () => {
  function rivals() {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ limitBytes: 500 * mib })
    const [first, second] = [1, 2].map(() => scheduler.version({ weightsBytes: 250 * mib }))
    for (let count = 0; count < 8; count += 1) scheduler.submit(first!)
    scheduler.serve()
    return { scheduler, first: first!, second: second! }
  }

  test('the one that waited for a second has its turn, though the other still has work', () => {
    const { scheduler, first, second } = rivals()
    const running = scheduler.jobsAt(scheduler.workerOf(first)).slice(0, 2)
    scheduler.start(...running)
    const job = scheduler.submit(second)
    scheduler.pass(900)
    expect(scheduler.all('withdraw')).toEqual([])
    scheduler.pass(200)
    const [withdrawal] = scheduler.all('withdraw')
    scheduler.report(
      withdrawal!.workerId,
      ...withdrawal!.taskIds.map((taskId) => ({ kind: 'withdrawn', taskId }) as const),
    )
    scheduler.finish(...running)
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(second))).toEqual([job])
    scheduler.finish(job)
    // What has just been loaded stays for a moment.
    scheduler.pass(loadMs)
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(first))).toHaveLength(4)
  })

  test('a batch job waits longer for its turn', () => {
    const { scheduler, second } = rivals()
    scheduler.submit(second, { class: 'batch' })
    scheduler.pass(59_000)
    expect(scheduler.all('withdraw')).toEqual([])
    scheduler.pass(12_000)
    expect(scheduler.all('withdraw')).toHaveLength(1)
  })
})
