/** Looks after a worker that has said hello: a PING every second, its memory, and the verdict that it is hung. */
import { Liveness } from './liveness.ts'
import type { Outbox } from './outbox.ts'
import { readPrivateBytes, readProcessActivity } from './process-activity.ts'
import { emptyMeta, requestType } from './requests.ts'
import type { WorkerLimits } from './worker-limits.ts'

export interface WatchOptions {
  readonly pid: number
  readonly outbox: Outbox
  readonly limits: WorkerLimits
  readonly now: () => number
  readonly isLoading: () => boolean
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
  #progress = 0
  #isStepping = false
  #lastLookAt: number
  #toldPrivateBytes = 0

  constructor(options: WatchOptions) {
    this.#options = options
    this.#liveness = new Liveness(options.limits.liveness)
    this.#lastLookAt = options.now()
    this.#timer = setInterval(() => this.#look(), options.limits.pingIntervalMs)
  }

  /** The worker answered a PING. */
  pong(progress: number, isStepping: boolean): void {
    this.#pingIsOut = false
    this.#isStepping = isStepping
    this.progress(progress)
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
    const { pid, outbox, limits } = this.#options
    const now = this.#options.now()
    const wasAwayMs = now - this.#lastLookAt - limits.pingIntervalMs
    this.#lastLookAt = now
    this.#measure(pid)
    // When this process itself did not run for a while, answers may lie unread: look again next time.
    if (wasAwayMs < limits.pingIntervalMs) {
      const reason = this.#liveness.judge({
        now,
        silenceMs: outbox.silenceMs(now),
        progress: this.#progress,
        isStepping: this.#isStepping,
        isLoading: this.#options.isLoading(),
        activity: readProcessActivity(pid),
      })
      if (reason !== null) {
        this.stop()
        this.#options.onHung(reason)
        return
      }
    }
    this.#ping()
  }

  #measure(pid: number): void {
    const privateBytes = readPrivateBytes(pid)
    if (privateBytes !== null) this.measured(privateBytes)
    // Where the kernel does not tell, the worker is asked; it answers with STATS_REPORT.
    else this.#options.outbox.send(requestType.stats, emptyMeta)
  }

  #ping(): void {
    if (this.#pingIsOut) return
    this.#pingIsOut = true
    this.#options.outbox.send(requestType.ping, emptyMeta)
  }
}
