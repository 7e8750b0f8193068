/** Looks after a worker that has said hello: a PING at every look, its memory, what it counts, and the verdict that it is suspect or hung. */
import type { Conversation } from './conversation.ts'
import { Liveness, type Verdict } from './liveness.ts'
import type { PatientClock } from './patient-clock.ts'
import { readPrivateBytes, readProcessActivity } from './process-activity.ts'
import type { WorkerLimits } from './worker-limits.ts'

export interface WatchOptions {
  readonly pid: number
  readonly conversation: Conversation
  readonly limits: WorkerLimits
  /** As the conversation has it. */
  readonly clock: PatientClock
  /** At every interval. */
  readonly onLook: () => void
  /** Told whenever that changes. */
  readonly onSuspected: (isSuspected: boolean) => void
  /** Told once; the watch has ended then. */
  readonly onHung: (reason: string) => void
  readonly onMeasured: (privateBytes: number) => void
}

const toldChangeBytes = 1024 * 1024

export class WorkerWatch {
  readonly #options: WatchOptions
  readonly #liveness: Liveness
  readonly #timer: NodeJS.Timeout
  #pingIsOut = false
  #statsAreOut = false
  #lastStatsAt: number
  #measuredAt: number
  /** Tasks that had come to their ends when it was last asked. */
  #endedAtLastStats = 0
  #progress = 0
  #isStepping = false
  #declaredStepMs: number | null = null
  #isSuspected = false
  #wasHeld = false
  #toldPrivateBytes = 0

  constructor(options: WatchOptions) {
    this.#options = options
    this.#liveness = new Liveness(options.limits.liveness)
    options.clock.look()
    this.#lastStatsAt = options.clock.now()
    this.#measuredAt = Number.NEGATIVE_INFINITY
    this.#timer = setInterval(() => this.#look(), options.limits.pingIntervalMs)
  }

  /** The worker answered a PING. */
  pong(progress: number, isStepping: boolean, declaredStepMs: number | null): void {
    this.#pingIsOut = false
    this.#isStepping = isStepping
    this.#declaredStepMs = declaredStepMs
    this.progress(progress)
  }

  /** The worker answered STATS. */
  stats(privateBytes: number): void {
    this.#statsAreOut = false
    this.measured(privateBytes)
  }

  progress(progress: number): void {
    this.#progress = progress
  }

  /** Private anonymous bytes, from wherever they are known. */
  measured(privateBytes: number): void {
    if (Math.abs(privateBytes - this.#toldPrivateBytes) < toldChangeBytes) return
    this.#toldPrivateBytes = privateBytes
    this.#options.onMeasured(privateBytes)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const { conversation, clock, onHung } = this.#options
    const hasStalled = clock.look()
    this.#options.onLook()
    this.#measureIfDue()
    // When this process itself did not run for a while, or did not read, answers may lie unread: judge next time.
    const isReading = !hasStalled && !conversation.isHeld && !this.#wasHeld
    this.#wasHeld = conversation.isHeld
    const verdict = isReading ? this.#judge() : null
    if (verdict?.kind === 'hung') {
      this.stop()
      return onHung(verdict.reason)
    }
    if (verdict) this.#tellSuspicion(verdict.kind === 'suspect')
    this.#ping()
  }

  #tellSuspicion(isSuspected: boolean): void {
    if (isSuspected === this.#isSuspected) return
    this.#isSuspected = isSuspected
    this.#options.onSuspected(isSuspected)
  }

  #judge(): Verdict {
    const { pid, conversation, clock } = this.#options
    return this.#liveness.judge({
      now: clock.now(),
      silenceMs: conversation.silenceMs(),
      progress: this.#progress,
      // What the engine of a paused task, or of a worker without a lease, has in hand stands still as it should.
      isStepping: this.#isStepping && conversation.mayCompute,
      declaredStepMs: this.#declaredStepMs,
      stepMsMax: conversation.tasks.stepMsMax,
      loaded: conversation.loadedCount,
      isLoading: conversation.isLoading,
      loadMsMax: conversation.loadMsMax,
      activity: readProcessActivity(pid),
    })
  }

  #measureIfDue(): void {
    const now = this.#options.clock.now()
    if (now - this.#measuredAt < this.#options.limits.measureIntervalMs) return
    this.#measuredAt = now
    const privateBytes = readPrivateBytes(this.#options.pid)
    if (privateBytes !== null) this.measured(privateBytes)
    // Where the kernel does not tell, the worker is asked; it answers with STATS_REPORT.
    if (privateBytes === null || this.#statsAreDue()) this.#askForStats()
  }

  /** It has tasks, or has had some since it was asked. */
  #statsAreDue(): boolean {
    const { conversation, limits, clock } = this.#options
    const { count, endedCount } = conversation.tasks
    const hasWorked = count > 0 || endedCount !== this.#endedAtLastStats
    return hasWorked && clock.now() - this.#lastStatsAt >= limits.statsIntervalMs
  }

  #askForStats(): void {
    if (this.#statsAreOut) return
    const { conversation, clock } = this.#options
    this.#statsAreOut = true
    this.#lastStatsAt = clock.now()
    this.#endedAtLastStats = conversation.tasks.endedCount
    conversation.askForStats()
  }

  #ping(): void {
    if (this.#pingIsOut) return
    this.#pingIsOut = true
    this.#options.conversation.ping()
  }
}
