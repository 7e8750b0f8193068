import { describe, expect, test } from 'vitest'
import { Liveness, type Observation } from '../../../../src/runtime/workers/liveness.ts'
import type { ProcessActivity } from '../../../../src/runtime/workers/process-activity.ts'
import { defaultWorkerLimits } from '../../../../src/runtime/workers/worker-limits.ts'

const limits = { ...defaultWorkerLimits.liveness, stepMsMax: 60_000 }
const asleep: ProcessActivity = { cpuMs: 100, majorFaults: 5, readBytes: 1000, isRunnable: false }
const lookMs = 250

interface Seen {
  /** The second at which it was given up; null = it was not. */
  readonly at: number | null
  readonly reason: string | null
  /** The second at which it was suspected first. */
  readonly suspectedAt: number | null
}

/** Looks four times a second at what `see` shows at that second. */
function watch(see: (second: number) => Partial<Observation>, forSeconds = 700): Seen {
  const liveness = new Liveness(limits)
  let suspectedAt: number | null = null
  for (let now = 0; now <= forSeconds * 1000; now += lookMs) {
    const verdict = liveness.judge({
      now,
      silenceMs: 0,
      progress: 0,
      isStepping: false,
      declaredStepMs: null,
      stepMsMax: null,
      loaded: 0,
      isLoading: false,
      loadMsMax: null,
      activity: asleep,
      ...see(now / 1000),
    })
    if (verdict.kind === 'hung') return { at: now / 1000, reason: verdict.reason, suspectedAt }
    if (verdict.kind === 'suspect') suspectedAt ??= now / 1000
  }
  return { at: null, reason: null, suspectedAt }
}

const silent = (second: number) => ({ silenceMs: second * 1000 })
const working = (second: number): ProcessActivity => ({ ...asleep, cpuMs: second * 900 })
/** What answering costs: now and then a tick of the kernel's clock. */
const answering = (second: number): ProcessActivity => ({ ...asleep, cpuMs: 10 * Math.floor(second / 5) })

test('a worker that has nothing to do may sleep for ever', () => {
  expect(watch(() => ({})).at).toBeNull()
})

describe('one that does nothing is given up within two seconds', () => {
  test('when it does not answer', () => {
    expect(watch(silent)).toEqual({
      at: 1.25,
      reason: 'it has not answered for 1.3 s and does nothing',
      suspectedAt: 1,
    })
  })

  test('when its step does not end: answering pings does not pass for work', () => {
    expect(watch((second) => ({ isStepping: true, activity: answering(second) }))).toMatchObject({
      at: 1.25,
      reason: 'its step has not ended for 1.3 s and it does nothing',
      suspectedAt: null,
    })
  })

  test('also when it had worked until then', () => {
    const see = (second: number) => ({
      isStepping: true,
      progress: second < 10 ? second : 10,
      activity: { ...asleep, cpuMs: Math.min(second, 10) * 900 },
    })
    expect(watch(see).at).toBe(11.25)
  })

  test('but when its program has said that the step lasts longer, only after four times that', () => {
    expect(watch(() => ({ isStepping: true, declaredStepMs: 5000 })).at).toBe(20.25)
  })

  test('and when it loads, after five', () => {
    expect(watch(() => ({ isLoading: true }))).toMatchObject({
      at: 5.25,
      reason: 'it has loaded nothing for 5.3 s and does nothing',
    })
  })
})

describe('one that works is given time', () => {
  test('a process that is about to run, or waits for the disk, is not idle', () => {
    expect(watch((second) => ({ ...silent(second), activity: { ...asleep, isRunnable: true } }), 30).at).toBeNull()
    expect(watch((second) => ({ ...silent(second), activity: { ...asleep, readBytes: second } }), 30).at).toBeNull()
    expect(watch((second) => ({ ...silent(second), activity: { ...asleep, majorFaults: second } }), 30).at).toBeNull()
  })

  test('one that does not answer but computes is suspected, and given the time of a long step', () => {
    expect(watch((second) => ({ ...silent(second), activity: working(second) }))).toEqual({
      at: 60.25,
      reason: 'it has not answered for 60.3 s',
      suspectedAt: 1,
    })
  })

  test('where nothing is known of its steps, one that computes for ever is given up at last', () => {
    expect(watch((second) => ({ isStepping: true, activity: working(second) }))).toEqual({
      at: 60.25,
      reason: 'its step has not ended for 60.3 s',
      suspectedAt: null,
    })
  })

  test('where its steps were short, two seconds; where they were long, as long as was learnt', () => {
    const see = (stepMsMax: number) => (second: number) => ({ isStepping: true, stepMsMax, activity: working(second) })
    expect(watch(see(80)).at).toBe(2.25)
    expect(watch(see(7000)).at).toBe(7.25)
    expect(watch(see(900_000)).at).toBe(60.25)
  })

  test('one that gets a tenth of a busy core is given ten times as long', () => {
    const starved = (second: number) => ({ ...asleep, cpuMs: second * 100 })
    expect(watch((second) => ({ isStepping: true, stepMsMax: 3000, activity: starved(second) })).at).toBe(22.75)
  })

  test('steps that end are no reason, however idle the process looks', () => {
    expect(watch((second) => ({ isStepping: true, progress: second * 4 })).at).toBeNull()
  })

  test('a load that computes may take ten minutes, or as long as was learnt, and one that reads as long as it reads', () => {
    const computing = (second: number) => ({ isLoading: true, activity: working(second) })
    expect(watch(computing)).toMatchObject({ at: 600.25, reason: 'it has loaded nothing for 600.3 s' })
    expect(watch((second) => ({ ...computing(second), loadMsMax: 20_000 })).at).toBe(20.25)
    expect(watch((second) => ({ ...computing(second), loadMsMax: 300 })).at).toBe(10.25)
    const reading = (second: number) => ({ isLoading: true, activity: { ...asleep, readBytes: second * 1000 } })
    expect(watch(reading).at).toBeNull()
  })

  test('components that come one after the other are each a sign of life', () => {
    const see = (second: number) => ({
      isLoading: true,
      loaded: Math.floor(second / 300),
      activity: working(second),
    })
    expect(watch(see, 1500).at).toBeNull()
  })
})

test('where the kernel tells nothing, only the limits of time count', () => {
  expect(watch((second) => ({ ...silent(second), activity: null })).at).toBe(60.25)
})
