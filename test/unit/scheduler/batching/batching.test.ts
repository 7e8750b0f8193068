import { describe, expect, test } from 'vitest'
import type { StepSample } from '../../../../src/scheduler/events.ts'
import { restore } from '../../../../src/scheduler/snapshot/restore.ts'
import { type Snapshot, snapshot } from '../../../../src/scheduler/snapshot/snapshot.ts'
import { resident } from '../graphs.ts'
import type { SchedulerUnderTest } from '../scheduler-under-test.ts'

type Place = ReturnType<typeof resident>

/** Its worker tells of steps of `node` that last baseMs + stateMs x states. */
function time(
  { scheduler, version, worker }: Place,
  sizes: readonly number[],
  { baseMs = 10, stateMs = 10, node = 'denoise', ...more }: Partial<StepSample> & { baseMs?: number; stateMs?: number },
) {
  const sample = (states: number): StepSample => ({
    node,
    shape: '',
    states,
    steps: 4,
    ms: baseMs + stateMs * states,
    peakBytes: null,
    ...more,
  })
  const samples = sizes.map(sample)
  return scheduler.feed({ type: 'stepsTimed', workerId: worker, versionId: version, samples, tooLarge: [] })
}

function tooLarge({ scheduler, version, worker }: Place, states: number) {
  const step = { node: 'denoise', shape: '', states }
  return scheduler.feed({ type: 'stepsTimed', workerId: worker, versionId: version, samples: [], tooLarge: [step] })
}

function told(scheduler: SchedulerUnderTest) {
  return scheduler.all('setPolicy').at(-1)?.limits ?? []
}

function reasons(scheduler: SchedulerUnderTest): string[] {
  return [...scheduler.state.decisions.read()]
    .filter(({ kind }) => kind === 'SET_BATCH_LIMIT')
    .map(({ reason }) => reason)
}

const sizes = [1, 2, 3, 4, 8, 2, 4]

describe('what a worker is told', () => {
  test("is the manifest's limit until its steps are known", () => {
    const place = resident({ batchLimit: 8 })
    time(place, [1, 1, 1], {})
    expect(place.scheduler.all('setPolicy')).toMatchObject([{ batchLimit: 8, limits: [] }])
  })

  test('is the fewest states that come close to the best rate, by node and shape', () => {
    const place = resident({ batchLimit: 8 })
    time(place, sizes, { baseMs: 0, stateMs: 10 })
    time(place, sizes, { baseMs: 100, stateMs: 1, node: 'encode', shape: '77' })
    expect(told(place.scheduler)).toMatchObject([
      { node: 'denoise', shape: '', limit: 1 },
      { node: 'encode', shape: '77', limit: 8 },
    ])
    expect(place.scheduler.all('setPolicy').every(({ batchLimit }) => batchLimit === 8)).toBe(true)
    expect(reasons(place.scheduler)).toEqual(['rate_learnt'])
  })

  test('is not said again for little', () => {
    const place = resident({ batchLimit: 8 })
    time(place, sizes, { baseMs: 1, stateMs: 10 })
    const before = place.scheduler.all('setPolicy').length
    for (let round = 0; round < 10; round += 1) time(place, sizes, { baseMs: 1.1, stateMs: 10.3 })
    expect(place.scheduler.all('setPolicy')).toHaveLength(before)
  })

  test("is the manifest's limit where nothing is to be learnt", () => {
    const { scheduler } = resident()
    const batching = { ...scheduler.state.settings.batching, isLearnt: false }
    const place = resident({ batchLimit: 8, settings: { batching } })
    time(place, sizes, { baseMs: 0 })
    expect(place.scheduler.all('setPolicy')).toMatchObject([{ batchLimit: 8, limits: [] }])
  })

  test('is remembered by the next load on the device, and after a restart', () => {
    const place = resident({ batchLimit: 8 })
    time(place, sizes, { baseMs: 0 })
    const { scheduler, version } = place
    const copy: Snapshot = JSON.parse(JSON.stringify(snapshot(scheduler.state)))
    scheduler.state = restore(copy)
    scheduler.feed({ type: 'unloadRequested', versionId: version, deviceId: null })
    scheduler.serve()
    scheduler.submit(version)
    scheduler.serve()
    expect(told(scheduler)).toMatchObject([{ node: 'denoise', limit: 1 }])
  })

  test('fewer tasks are admitted ahead of need where steps are small', () => {
    const place = resident({ batchLimit: 8 })
    time(place, sizes, { baseMs: 0 })
    const jobs = [1, 2, 3, 4].map(() => place.scheduler.submit(place.version))
    expect(place.scheduler.jobsAt(place.worker)).toEqual(jobs.slice(0, 2))
  })
})

describe('memory', () => {
  test('a step that was too large is halved, and remembered', () => {
    const place = resident({ batchLimit: 8 })
    tooLarge(place, 8)
    time(place, [4, 2, 1, 4, 2, 1], { baseMs: 100, stateMs: 1 })
    expect(told(place.scheduler)).toMatchObject([{ node: 'denoise', limit: 4 }])
    expect(reasons(place.scheduler)).toContain('step_too_large')
  })

  test('no step is larger than what its states were seen to take allows', () => {
    const place = resident({ batchLimit: 8 })
    const gib = 1024 * 1024 * 1024
    time(place, sizes, { baseMs: 100, stateMs: 1, peakBytes: gib })
    expect(told(place.scheduler)[0]?.limit).toBeLessThan(8)
  })

  test('what a state took once is not held against it for ever', () => {
    const place = resident({ batchLimit: 8 })
    const gib = 1024 * 1024 * 1024
    time(place, sizes, { baseMs: 100, stateMs: 1, peakBytes: gib })
    const before = told(place.scheduler)[0]?.limit
    for (let round = 0; round < 10; round += 1) time(place, sizes, { baseMs: 100, stateMs: 1, peakBytes: 0 })
    expect(before).toBeLessThan(8)
    expect(told(place.scheduler)[0]?.limit).toBe(8)
  })
})

describe('batch class', () => {
  test('tries a larger step now and then, until one was timed', () => {
    const place = resident({ batchLimit: 8 })
    time(place, sizes, { baseMs: 0 })
    time(place, [1], { baseMs: 0, steps: 200 })
    expect(told(place.scheduler)).toMatchObject([{ limit: 1, batchClassLimit: 2 }])
    time(place, [2], { baseMs: 0 })
    expect(told(place.scheduler)).toMatchObject([{ limit: 1, batchClassLimit: null }])
  })

  test('takes half as many states per step while interactive work comes often, and as many as before after it', () => {
    const place = resident({ batchLimit: 8 })
    const { scheduler, version } = place
    time(place, sizes, { baseMs: 100, stateMs: 1 })
    for (let count = 0; count < 11; count += 1) scheduler.finish(scheduler.submit(version))
    expect(told(scheduler)).toMatchObject([{ limit: 8, batchClassLimit: 4 }])
    scheduler.pass(20_000)
    expect(told(scheduler)).toMatchObject([{ limit: 8, batchClassLimit: null }])
    expect(reasons(scheduler)).toEqual(['peak_over', 'interactive_peak'])
  })

  test('takes half as many while memory is short, and as many as before after it', () => {
    const place = resident({ batchLimit: 8 })
    const { scheduler } = place
    time(place, sizes, { baseMs: 100, stateMs: 1 })
    const [device] = scheduler.state.devices.values()
    if (!device) throw new Error('There is no device.')
    const { deviceId, limitBytes } = device.spec
    scheduler.feed({ type: 'deviceMeasured', deviceId, externalBytes: Math.round(0.88 * limitBytes), stallShare: 0 })
    expect(told(scheduler)).toMatchObject([{ limit: 8, batchClassLimit: 4 }])
    expect(reasons(scheduler)[0]).toBe('memory_pressure')
    scheduler.feed({ type: 'deviceMeasured', deviceId, externalBytes: 0, stallShare: 0 })
    scheduler.pass(10_001)
    expect(told(scheduler)).toMatchObject([{ limit: 8, batchClassLimit: null }])
  })
})
