import type { LivenessLimits } from './liveness.ts'
import type { LogLimits } from './log-lines.ts'

/** Every bound on a worker's behaviour and on what the server keeps for it. Times are milliseconds. */
export interface WorkerLimits {
  /** From spawn to HELLO. */
  readonly helloMsMax: number
  /** The worker is looked at, and asked for a sign of life. */
  readonly pingIntervalMs: number
  /** When this process looks later than that, it has stalled itself, and holds the time against nobody. */
  readonly stallMsMax: number
  readonly measureIntervalMs: number
  /** While a worker has tasks, and once after them, it is asked for what it has counted. */
  readonly statsIntervalMs: number
  readonly liveness: LivenessLimits
  /** How long a hung worker may take to print its stacks before it is killed. */
  readonly stacksMsMax: number
  /** From SHUTDOWN to SIGTERM. */
  readonly shutdownMsMax: number
  /** From SIGTERM to SIGKILL. */
  readonly terminateMsMax: number
  /** From the end of its stream to its own end. */
  readonly exitAfterStreamEndMsMax: number
  /** Frames that may be unacknowledged. */
  readonly pipelineDepth: number
  /** Joined requests leave in frames of about so many bytes. */
  readonly joinedBytesMax: number
  readonly log: LogLimits
}

export const defaultWorkerLimits: WorkerLimits = {
  helloMsMax: 30_000,
  pingIntervalMs: 250,
  stallMsMax: 500,
  measureIntervalMs: 1000,
  statsIntervalMs: 5000,
  liveness: {
    suspectMs: 750,
    silentIdleMs: 1000,
    stuckIdleMs: 1000,
    loadIdleMs: 5000,
    stepMsMin: 2000,
    // Reading four prompts of full length takes a small text model minutes on two cores.
    stepMsMax: 600_000,
    loadMsMin: 10_000,
    loadMsMax: 600_000,
  },
  stacksMsMax: 300,
  shutdownMsMax: 5000,
  terminateMsMax: 2000,
  exitAfterStreamEndMsMax: 1000,
  pipelineDepth: 8,
  joinedBytesMax: 1024 * 1024,
  log: { lineBytesMax: 8192, bytesPerSecondMax: 256 * 1024 },
}
