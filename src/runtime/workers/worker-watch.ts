/** Looks after a worker that has said hello: a PING every second, its memory, what it counts, and the verdict that it is hung. */
import type { Conversation } from './conversation.ts'
import { Liveness } from './liveness.ts'
import { readPrivateBytes, readProcessActivity } from './process-activity.ts'
import type { WorkerLimits } from './worker-limits.ts'

export interface WatchOptions {
  readonly pid: number
  readonly conversation: Conversation
  readonly limits: WorkerLimits
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** At every interval. */
  readonly onLook: () => void
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
  /** Tasks that had come to their ends when it was last asked. */
  #endedAtLastStats = 0
  #progress = 0
  #isStepping = false
  #lastLookAt: number
  #wasHeld = false
  #toldPrivateBytes = 0

  constructor(options: WatchOptions) {
    this.#options = options
    this.#liveness = new Liveness(options.limits.liveness)
    this.#lastLookAt = options.now()
    this.#lastStatsAt = this.#lastLookAt
    this.#timer = setInterval(() => this.#look(), options.limits.pingIntervalMs)
  }

  /** The worker answered a PING. */
  pong(progress: number, isStepping: boolean): void {
    this.#pingIsOut = false
    this.#isStepping = isStepping
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
    const { conversation, limits, now, onHung } = this.#options
    const lateMs = now() - this.#lastLookAt - limits.pingIntervalMs
    this.#lastLookAt = now()
    this.#options.onLook()
    this.#measure()
    // When this process itself did not run for a while, or did not read, answers may lie unread: judge next time.
    const isReading = lateMs < limits.pingIntervalMs && !conversation.isHeld && !this.#wasHeld
    this.#wasHeld = conversation.isHeld
    const reason = isReading ? this.#judge() : null
    if (reason === null) {
      this.#ping()
    } else {
      this.stop()
      onHung(reason)
    }
  }

  #judge(): string | null {
    const { pid, conversation, now } = this.#options
    return this.#liveness.judge({
      now: now(),
      silenceMs: conversation.silenceMs(),
      progress: this.#progress,
      // What the engine of a paused task, or of a worker without a lease, has in hand stands still as it should.
      isStepping: this.#isStepping && conversation.mayCompute,
      isLoading: conversation.isLoading,
      activity: readProcessActivity(pid),
    })
  }

  #measure(): void {
    const privateBytes = readPrivateBytes(this.#options.pid)
    if (privateBytes !== null) this.measured(privateBytes)
    // Where the kernel does not tell, the worker is asked; it answers with STATS_REPORT.
    if (privateBytes === null || this.#statsAreDue()) this.#askForStats()
  }

  /** It has tasks, or has had some since it was asked. */
  #statsAreDue(): boolean {
    const { conversation, limits, now } = this.#options
    const { count, endedCount } = conversation.tasks
    const hasWorked = count > 0 || endedCount !== this.#endedAtLastStats
    return hasWorked && now() - this.#lastStatsAt >= limits.statsIntervalMs
  }

  #askForStats(): void {
    if (this.#statsAreOut) return
    const { conversation, now } = this.#options
    this.#statsAreOut = true
    this.#lastStatsAt = now()
    this.#endedAtLastStats = conversation.tasks.endedCount
    conversation.askForStats()
  }

  #ping(): void {
    if (this.#pingIsOut) return
    this.#pingIsOut = true
    this.#options.conversation.ping()
  }
}
