import { describe, expect, test } from 'vitest'
import { hintVerdict } from '../../../../src/scheduler/demand/hint-verdict.ts'
import type { VersionId } from '../../../../src/scheduler/ids.ts'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

function hint(scheduler: SchedulerUnderTest, versionId: VersionId, probability = 1, withinMs = 15_000): void {
  scheduler.feed({ type: 'hintGiven', versionId, withinMs, probability })
  scheduler.serve()
}

function crowdedDevice() {
  const scheduler = new SchedulerUnderTest()
  scheduler.device({ name: 'cpu', limitBytes: 400 * mib })
  const [used, hinted] = [1, 2].map(() => scheduler.version({ weightsBytes: 250 * mib })) as [VersionId, VersionId]
  return { scheduler, used, hinted }
}

function use(scheduler: SchedulerUnderTest, versionId: VersionId): void {
  const job = scheduler.submit(versionId)
  scheduler.serve()
  scheduler.finish(job)
}

describe('a hint', () => {
  test('has the model loaded where there is room', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    const version = scheduler.version()
    hint(scheduler, version, 0.1)
    expect(scheduler.all('load').map(({ versionId }) => versionId)).toEqual([version])
    const loads = [...scheduler.state.decisions.read()].filter(({ reason }) => reason === 'hinted')
    expect(loads.map(({ kind }) => kind)).toEqual(['PREFETCH'])
  })

  test('has another model evicted that is unlikely to be missed, and not one that is used all the time', () => {
    const { scheduler, used, hinted } = crowdedDevice()
    for (let count = 0; count < 40; count += 1) {
      use(scheduler, used)
      scheduler.pass(1000)
    }
    hint(scheduler, hinted)
    expect(scheduler.all('unload')).toEqual([])
    scheduler.pass(24 * 3_600_000)
    hint(scheduler, hinted, 0.5)
    expect(scheduler.all('unload').map(({ versionId }) => versionId)).toEqual([used])
  })

  test('keeps the model until it expires', () => {
    const { scheduler, used, hinted } = crowdedDevice()
    hint(scheduler, hinted, 1, 3000)
    scheduler.pass(1000)
    const job = scheduler.submit(used)
    expect(scheduler.all('unload')).toEqual([])
    scheduler.pass(3000)
    expect(scheduler.all('unload').map(({ versionId }) => versionId)).toEqual([hinted])
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(used))).toEqual([job])
  })

  test('is counted as used when a job comes, else as expired', () => {
    const { scheduler, used, hinted } = crowdedDevice()
    hint(scheduler, hinted, 1, 3000)
    use(scheduler, hinted)
    hint(scheduler, used, 1, 3000)
    scheduler.pass(60_000)
    expect(scheduler.state.hintCounts).toEqual({ used: 1, expired: 1 })
    expect(scheduler.state.hinted.size).toBe(0)
  })

  test('says nothing of what will not happen', () => {
    const { scheduler, hinted } = crowdedDevice()
    hint(scheduler, hinted, 0)
    expect(scheduler.all('load')).toEqual([])
  })
})

describe('what a client is told of a hint', () => {
  const verdict = (scheduler: SchedulerUnderTest, versionId: VersionId, probability = 1) =>
    hintVerdict(scheduler.state, versionId, probability, scheduler.now)

  test('where there is room, the model is loaded, and then it is there', () => {
    const { scheduler, hinted } = crowdedDevice()
    expect(verdict(scheduler, hinted)).toBe('fits')
    scheduler.feed({ type: 'loadRequested', versionId: hinted, deviceId: null })
    scheduler.serve()
    expect(verdict(scheduler, hinted)).toBe('there')
  })

  test('where another model is in use, or just came, it waits', () => {
    const { scheduler, used, hinted } = crowdedDevice()
    const job = scheduler.submit(used)
    scheduler.serve()
    expect(verdict(scheduler, hinted)).toBe('in_use')
    scheduler.finish(job)
    expect(verdict(scheduler, hinted)).toBe('in_use')
  })

  test('what is likelier to be missed stays, for as long as that is so', () => {
    const { scheduler, used, hinted } = crowdedDevice()
    for (let count = 0; count < 40; count += 1) {
      use(scheduler, used)
      scheduler.pass(1000)
    }
    expect(verdict(scheduler, hinted)).toBe('worth_less')
    scheduler.pass(24 * 3_600_000)
    expect(verdict(scheduler, hinted)).toBe('displaces')
  })

  test('what no device could hold, or nobody will ask for, is not loaded', () => {
    const { scheduler, hinted } = crowdedDevice()
    expect(verdict(scheduler, scheduler.version({ weightsBytes: 5000 * mib }))).toBe('too_large')
    expect(verdict(scheduler, hinted, 0)).toBe('unlikely')
    expect(verdict(scheduler, 999 as VersionId)).toBe('gone')
  })
})
