/** Rules that say how many requests share a step and how long a step waits: what the scheduler learns, and what others do instead. */
import { type BatchCurve, createCurve, learnStep, stepLine } from '../../scheduler/batching/curve.ts'
import { holdMsOf } from '../../scheduler/batching/hold.ts'
import { throughputLimit } from '../../scheduler/batching/limit.ts'
import type { StepPolicy } from '../choose-step.ts'
import type { BatchWorkload } from './batch-workloads.ts'

export interface BatchPolicy {
  readonly name: string
  /** `busyShare`: of the device's time that is taken; 0 where there is always another. */
  current(busyShare: number): StepPolicy
  /** A step of so many states has ended, and whether it was in time for all of them. */
  learn(states: number, ms: number, isInTime: boolean): void
}

export const batchPolicyNames = ['eager', 'time-out', 'aimd', 'learnt', 'known'] as const
export type BatchPolicyName = (typeof batchPolicyNames)[number]

export function createBatchPolicy(name: BatchPolicyName, workload: BatchWorkload): BatchPolicy {
  const { statesMax, withinMs } = workload
  switch (name) {
    case 'eager':
      return constant(name, plain(statesMax, 0))
    case 'time-out':
      return constant(name, plain(statesMax, timeOutShare * withinMs))
    case 'aimd':
      return additiveIncrease(workload)
    case 'learnt':
      return new LearntPolicy(workload)
    case 'known':
      return constant(name, deferred(statesMax, statesMax, withinMs, workload.baseMs, workload.stateMs))
    default:
      return name satisfies never
  }
}

/** Clipper's rule (D. Crankshaw, NSDI 2017): one more after each step that was in time, half after one that was late. */
function additiveIncrease({ statesMax, withinMs }: BatchWorkload): BatchPolicy {
  let limit = 1
  return {
    name: 'aimd',
    current: () => plain(limit, timeOutShare * withinMs),
    learn: (_states, _ms, isInTime) => {
      limit = isInTime ? Math.min(statesMax, limit + 1) : Math.max(1, Math.floor(limit / 2))
    },
  }
}
const timeOutShare = 0.1

/** Nothing is known at first; then steps wait as long as the deadlines of their requests let them, because waiting costs nothing here. */
class LearntPolicy implements BatchPolicy {
  readonly name = 'learnt'
  readonly #workload: BatchWorkload
  #curve: BatchCurve | null = null
  #limit: number | undefined

  constructor(workload: BatchWorkload) {
    this.#workload = workload
  }

  current(busyShare: number): StepPolicy {
    const { statesMax, withinMs, gapMs } = this.#workload
    const curve = this.#curve
    if (!curve) return plain(statesMax, 0)
    this.#limit = throughputLimit(curve, statesMax, shareOfBest, this.#limit)
    const { baseMs, stateMs } = stepLine(curve)
    const holdMs = holdMsOf(curve, 1 / gapMs, busyShare, { delayCost: 0, holdMsMax: withinMs })
    return deferred(statesMax, this.#limit, holdMs, baseMs, stateMs)
  }

  learn(states: number, ms: number): void {
    this.#curve ??= createCurve(states, ms)
    learnStep(this.#curve, states, ms, 1)
  }
}
/** Where waiting costs nothing, hardly anything of the rate is given up for it. */
const shareOfBest = 0.99

function constant(name: string, policy: StepPolicy): BatchPolicy {
  return { name, current: () => policy, learn: () => {} }
}

function plain(batchLimit: number, holdMs: number): StepPolicy {
  return { batchLimit, holdMs, interactiveFirst: true }
}

function deferred(
  statesMax: number,
  limit: number,
  holdMs: number | null,
  baseMs: number,
  stateMs: number,
): StepPolicy {
  const ofNode = { node: 'node', shape: null, limit, batchClassLimit: null, holdMs, baseMs, stateMs }
  return { ...plain(statesMax, 0), limits: [ofNode] }
}
