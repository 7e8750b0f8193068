/**
 * Decides what to think of a worker that still exists. It is asked at regular intervals with what was observed since.
 *
 * A worker is *silent* when it leaves a frame unacknowledged: its reader thread does not run (native code holds the interpreter's lock, the process is
 * stopped, or nothing gets through). It is *stuck* when it says that a step runs, or has a model to load, and nothing of that ends. Either is forgiven
 * while the kernel shows that the process works, up to a limit that follows from what steps of its models took before: a long step or the reading of a
 * large model looks just like that. Until then one that is silent is suspected.
 */
import type { ProcessActivity } from './process-activity.ts'

export interface LivenessLimits {
  /** Silent for so long, whatever it does: suspected. */
  readonly suspectMs: number
  /** Silent and doing nothing for so long: hung. */
  readonly silentIdleMs: number
  /** A step that does nothing for so long: hung, unless its program says that it waits for something outside, and for longer. */
  readonly stuckIdleMs: number
  /** A load that does nothing for so long: hung. */
  readonly loadIdleMs: number
  /** Silent or stuck in a step for so long, though it computes: hung at the earliest, however short its steps were before. */
  readonly stepMsMin: number
  /** The same at the latest, and where nothing is known of its steps. */
  readonly stepMsMax: number
  /** Nothing of a load has ended or was read for so long: hung at the earliest, and at the latest. */
  readonly loadMsMin: number
  readonly loadMsMax: number
}

export interface Observation {
  /** Milliseconds of a clock that never goes back. */
  readonly now: number
  /** Age of the oldest unacknowledged frame; 0 = none. */
  readonly silenceMs: number
  /** The worker's count of finished steps, as last heard. */
  readonly progress: number
  /** It said that a step runs. */
  readonly isStepping: boolean
  /** How long the running step lasts, of a program that says that it waits for something outside; null = it does not say so. */
  readonly declaredStepMs: number | null
  /** How long the steps of what it has may last, as far as was learnt; null = nothing was. */
  readonly stepMsMax: number | null
  /** Loads and components that have ended since its start. */
  readonly loaded: number
  readonly isLoading: boolean
  /** How long a load may compute without getting on, as far as was learnt; null = nothing was. */
  readonly loadMsMax: number | null
  /** Null where the kernel does not tell. */
  readonly activity: ProcessActivity | null
}

export type Verdict =
  | { readonly kind: 'well' }
  | { readonly kind: 'suspect' }
  /** `reason`: a clause. */
  | { readonly kind: 'hung'; readonly reason: string }

/** Below this share of one core, and one tick of the kernel's clock, a process only keeps itself awake. */
const idleCpuShare = 0.02
const tickMs = 10
/** A process that computes without an end uses at least so much of a core. */
const computedShare = 0.75
/** A step may last so many times what its program says. */
const declaredFactor = 4

const well: Verdict = { kind: 'well' }
const suspect: Verdict = { kind: 'suspect' }

export class Liveness {
  readonly #limits: LivenessLimits
  #previous: Observation | null = null
  /** Since when the process has done nothing, as far as one can see. */
  #idleFrom: Observation | null = null
  /** Since when a step has been running without an end. */
  #stuckFrom: Observation | null = null
  /** Since when it has not answered. */
  #silentFrom: Observation | null = null
  /** Since when nothing of a load has ended or was read. */
  #loadStuckFrom: Observation | null = null

  constructor(limits: LivenessLimits) {
    this.#limits = limits
  }

  judge(observed: Observation): Verdict {
    this.#compare(observed)
    const reason = this.#hangs(observed)
    if (reason !== null) return { kind: 'hung', reason }
    return observed.silenceMs > this.#limits.suspectMs ? suspect : well
  }

  #compare(observed: Observation): void {
    const previous = this.#previous
    this.#previous = observed
    if (this.#idleFrom && !isIdle(this.#idleFrom, observed)) this.#idleFrom = null
    if (!this.#idleFrom && previous && isIdle(previous, observed)) this.#idleFrom = previous
    const isStuck = observed.isStepping && previous?.progress === observed.progress
    this.#stuckFrom = isStuck ? (this.#stuckFrom ?? previous) : null
    const isSilent = previous && observed.silenceMs > observed.now - previous.now
    this.#silentFrom = isSilent ? (this.#silentFrom ?? previous) : null
    const isLoadStuck = observed.isLoading && previous?.isLoading && isSameLoad(previous, observed)
    this.#loadStuckFrom = isLoadStuck ? (this.#loadStuckFrom ?? previous) : null
  }

  #hangs(observed: Observation): string | null {
    const { now, silenceMs, isLoading, declaredStepMs, stepMsMax } = observed
    const limits = this.#limits
    const idleMs = this.#idleFrom ? now - this.#idleFrom.now : 0
    const stuckMs = this.#stuckFrom ? now - this.#stuckFrom.now : 0
    const loadStuckMs = this.#loadStuckFrom ? now - this.#loadStuckFrom.now : 0
    const declaredMs = declaredFactor * (declaredStepMs ?? 0)
    if (Math.min(silenceMs, idleMs) > limits.silentIdleMs)
      return `it has not answered for ${seconds(silenceMs)} and does nothing`
    if (Math.min(stuckMs, idleMs) > Math.max(limits.stuckIdleMs, declaredMs))
      return `its step has not ended for ${seconds(stuckMs)} and it does nothing`
    if (Math.min(loadStuckMs, idleMs) > limits.loadIdleMs)
      return `it has loaded nothing for ${seconds(loadStuckMs)} and does nothing`
    const loadMsMax = Math.max(limits.loadMsMin, Math.min(observed.loadMsMax ?? limits.loadMsMax, limits.loadMsMax))
    if (loadStuckMs > loadMsMax && hasComputed(this.#loadStuckFrom, observed, loadMsMax, limits.loadMsMax))
      return `it has loaded nothing for ${seconds(loadStuckMs)}`
    const learntMs = Math.max(limits.stepMsMin, Math.min(stepMsMax ?? limits.stepMsMax, limits.stepMsMax))
    // A load in threads of its own has the interpreter and the cores as well.
    const msMax = Math.max(isLoading ? limits.loadMsMax : learntMs, declaredMs)
    if (silenceMs > msMax && hasComputed(this.#silentFrom, observed, msMax, limits.stepMsMax))
      return `it has not answered for ${seconds(silenceMs)}`
    if (stuckMs > msMax && hasComputed(this.#stuckFrom, observed, msMax, limits.stepMsMax))
      return `its step has not ended for ${seconds(stuckMs)}`
    return null
  }
}

/** Where the kernel does not tell, nothing is held against the process but the limits of time. */
function isIdle(before: Observation, after: Observation): boolean {
  if (!before.activity || !after.activity) return false
  const cpuMs = after.activity.cpuMs - before.activity.cpuMs
  return (
    cpuMs <= (after.now - before.now) * idleCpuShare + tickMs &&
    after.activity.majorFaults === before.activity.majorFaults &&
    after.activity.readBytes === before.activity.readBytes &&
    !after.activity.isRunnable
  )
}

/** One that gets little of a busy processor needs longer than its steps ever took: what it has computed counts, until the last limit of all. */
function hasComputed(from: Observation | null, after: Observation, msMax: number, lastMsMax: number): boolean {
  if (!from?.activity || !after.activity || after.now - from.now > lastMsMax) return true
  return after.activity.cpuMs - from.activity.cpuMs > msMax * computedShare
}

/** What is read from the disk is on its way. */
function isSameLoad(before: Observation, after: Observation): boolean {
  return (
    before.loaded === after.loaded &&
    before.activity?.readBytes === after.activity?.readBytes &&
    before.activity?.majorFaults === after.activity?.majorFaults
  )
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
