import { expect, test } from 'vitest'
import { Liveness, type Observation } from '../../../../src/runtime/workers/liveness.ts'
import type { ProcessActivity } from '../../../../src/runtime/workers/process-activity.ts'

const limits = { silentIdleMs: 2000, stuckIdleMs: 5000, stepMsMax: 60_000, loadMsMax: 600_000 }
const asleep: ProcessActivity = { cpuMs: 100, majorFaults: 5, readBytes: 1000, isRunnable: false }
const second = 1000

/** Looks every second at what `see` shows; the second at which the worker was given up and why, or null after `forSeconds`. */
function watch(see: (now: number) => Partial<Observation>, forSeconds = 700): { at: number; reason: string } | null {
  const liveness = new Liveness(limits)
  for (let now = 0; now <= forSeconds * second; now += second) {
    const reason = liveness.judge({
      now,
      silenceMs: 0,
      progress: 0,
      isStepping: false,
      isLoading: false,
      activity: asleep,
      ...see(now),
    })
    if (reason !== null) return { at: now / second, reason }
  }
  return null
}

const working = (now: number): ProcessActivity => ({ ...asleep, cpuMs: now * 0.9 })

test('a worker that has nothing to do may sleep for ever', () => {
  expect(watch(() => ({}))).toBeNull()
})

test('one that does not answer and does nothing is given up after two seconds', () => {
  expect(watch((now) => ({ silenceMs: now }))).toEqual({
    at: 3,
    reason: 'it has not answered for 3.0 s and does nothing',
  })
})

test('one that does not answer but computes is given the time of a long step', () => {
  expect(watch((now) => ({ silenceMs: now, activity: working(now) }))).toEqual({
    at: 61,
    reason: 'it has not answered for 61.0 s',
  })
})

test('a process that is about to run, or waits for the disk, is not idle', () => {
  expect(watch((now) => ({ silenceMs: now, activity: { ...asleep, isRunnable: true } }), 30)).toBeNull()
  expect(watch((now) => ({ silenceMs: now, activity: { ...asleep, readBytes: now } }), 30)).toBeNull()
  expect(watch((now) => ({ silenceMs: now, activity: { ...asleep, majorFaults: now } }), 30)).toBeNull()
})

test('answering pings does not pass for work: a step that sleeps is given up after five seconds', () => {
  const answering = (now: number): ProcessActivity => ({ ...asleep, cpuMs: now * 0.01 })
  expect(watch((now) => ({ isStepping: true, activity: answering(now) }))?.at).toBe(6)
})

test('a step that computes for ever is given up at last', () => {
  expect(watch((now) => ({ isStepping: true, activity: working(now) }))).toEqual({
    at: 61,
    reason: 'its step has not ended for 61.0 s',
  })
})

test('steps that end are no reason, however idle the process looks', () => {
  expect(watch((now) => ({ isStepping: true, progress: now }))).toBeNull()
})

test('while a model is loaded a worker may be silent for ten minutes', () => {
  expect(watch((now) => ({ silenceMs: now, isLoading: true, activity: working(now) }))?.at).toBe(601)
})

test('where the kernel tells nothing, only the long limits count', () => {
  expect(watch((now) => ({ silenceMs: now, activity: null }))?.at).toBe(61)
})
