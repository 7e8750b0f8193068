/**
 * Decides when a worker that still exists has to be given up. It is asked at regular intervals with what was observed since.
 *
 * A worker is *silent* when it leaves a frame unacknowledged: its reader thread does not run (native code holds the interpreter's lock, or the
 * process is stopped). It is *stuck* when it says that a step runs, and no step ends. Either is forgiven while the kernel shows that the process
 * works, up to a limit: a long step or the reading of a large model looks just like that.
 */
import type { ProcessActivity } from './process-activity.ts'

export interface LivenessLimits {
  /** Silent and doing nothing for so long: hung. */
  readonly silentIdleMs: number
  /** Stuck and doing nothing for so long: hung. */
  readonly stuckIdleMs: number
  /** Silent or stuck for so long, whatever it does: hung. */
  readonly stepMsMax: number
  /** The same while a model is being loaded. */
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
  readonly isLoading: boolean
  /** Null where the kernel does not tell. */
  readonly activity: ProcessActivity | null
}

/** Below this share of one core a process only keeps itself awake. */
const idleCpuShare = 0.02

export class Liveness {
  readonly #limits: LivenessLimits
  #previous: Observation | null = null
  /** Since when the process has done nothing, as far as one can see. */
  #idleSince: number | null = null
  /** Since when a step has been running without an end. */
  #stuckSince: number | null = null

  constructor(limits: LivenessLimits) {
    this.#limits = limits
  }

  /** Why the worker is hung, in words; null = it is not. */
  judge(observed: Observation): string | null {
    const previous = this.#previous
    this.#previous = observed
    this.#idleSince = previous && isIdle(previous, observed) ? (this.#idleSince ?? previous.now) : null
    this.#stuckSince =
      observed.isStepping && previous?.progress === observed.progress ? (this.#stuckSince ?? previous.now) : null

    const idleMs = this.#idleSince === null ? 0 : observed.now - this.#idleSince
    const stuckMs = this.#stuckSince === null ? 0 : observed.now - this.#stuckSince
    const { silenceMs } = observed
    const msMax = observed.isLoading ? this.#limits.loadMsMax : this.#limits.stepMsMax
    if (Math.min(silenceMs, idleMs) > this.#limits.silentIdleMs)
      return `it has not answered for ${seconds(silenceMs)} and does nothing`
    if (Math.min(stuckMs, idleMs) > this.#limits.stuckIdleMs)
      return `its step has not ended for ${seconds(stuckMs)} and it does nothing`
    if (silenceMs > msMax) return `it has not answered for ${seconds(silenceMs)}`
    if (stuckMs > msMax) return `its step has not ended for ${seconds(stuckMs)}`
    return null
  }
}

/** Where the kernel does not tell, nothing is held against the process but the limits of time. */
function isIdle(before: Observation, after: Observation): boolean {
  if (!before.activity || !after.activity) return false
  const cpuMs = after.activity.cpuMs - before.activity.cpuMs
  return (
    cpuMs <= (after.now - before.now) * idleCpuShare &&
    after.activity.majorFaults === before.activity.majorFaults &&
    after.activity.readBytes === before.activity.readBytes &&
    !after.activity.isRunnable
  )
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
