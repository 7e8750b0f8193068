/** What the scheduler has decided and why: kinds, reasons, and what is known of each decision. Words are made by who reads (`decision-words.ts`). */
import type { DeviceId, JobId, Millis, VersionId, WorkerId } from '../ids.ts'
import type { Score, ScoreScheme } from './scores.ts'

/** As in the schema; the position is what is stored, so new kinds come last. */
export const decisionKinds = [
  'ADMIT',
  'REFUSE',
  'PLACE',
  'LOAD',
  'PREFETCH',
  'EVICT',
  'MIGRATE',
  'PAUSE',
  'RESUME',
  'REQUEUE',
  'SET_BATCH_LIMIT',
  'LOWER_PRECISION',
  'REJECT_PIN',
  'RESTART_WORKER',
  'DRAIN',
] as const
export type DecisionKind = (typeof decisionKinds)[number]

/** The position is what is stored, so new reasons come last. */
export const decisionReasons = [
  'worker_has_room',
  'retried_alone',
  'too_large',
  'load_keeps_failing',
  'jobs_wait',
  'asked_for',
  'queue_too_long',
  'was_resident',
  'engine_needed',
  'spare_wanted',
  'least_recently_used',
  'others_waited_too_long',
  'idle_worker',
  'worker_lost',
  'worker_stopped',
  'suspect',
  'engine_error',
  'out_of_memory',
  'load_failed',
  'server_restarted',
  'withdrawn',
  'spare_took_over',
  'started_again',
  'server_stops',
  'stale_model',
  'version_gone',
  'model_unloaded',
  'device_lost',
  'recycled',
  'rate_learnt',
  'larger_step_tried',
  'step_too_large',
  'interactive_peak',
  'peak_over',
  'offloaded_for_memory',
  'evicted_for_memory',
  'grown_beyond_plan',
  'moved_for_memory',
  'postponed_for_memory',
  'memory_pressure',
  'interactive_work',
  'least_valuable',
  'pins_do_not_fit',
  'pinned',
  'hinted',
  'routed',
  'routed_for_want_of_better',
  'faster_elsewhere',
  'pause_over',
] as const
export type DecisionReason = (typeof decisionReasons)[number]

export type { Score } from './scores.ts'

export interface Decision {
  /** Counts from 1 over the life of the state. */
  readonly sequence: number
  readonly at: Millis
  readonly kind: DecisionKind
  readonly reason: DecisionReason
  readonly jobId: JobId | null
  readonly versionId: VersionId | null
  readonly deviceId: DeviceId | null
  readonly workerId: WorkerId | null
  /** The version that gains by it: for which another makes room, or pauses. */
  readonly forVersionId: VersionId | null
  /** A number that the reason speaks of, as its words say: a limit, bytes, milliseconds. */
  readonly amount: number | null
  /** What the parts of the scores are. */
  readonly scheme: ScoreScheme
  /** Winner first; empty where there was nothing to choose. */
  readonly scores: readonly Score[]
}
/** `scheme` is `room` where nothing else is said. */
export type NewDecision = Pick<Decision, 'kind' | 'reason'> &
  Partial<
    Pick<Decision, 'jobId' | 'versionId' | 'deviceId' | 'workerId' | 'forVersionId' | 'amount' | 'scheme' | 'scores'>
  >

/** What is left out is not asked for. */
export interface DecisionFilter {
  readonly kinds?: readonly DecisionKind[]
  readonly jobId?: JobId
  readonly versionIds?: readonly VersionId[]
  readonly deviceId?: DeviceId
  /** Both included. */
  readonly from?: Millis
  readonly to?: Millis
}

export function isWanted(filter: DecisionFilter, decision: Decision): boolean {
  const { kinds, jobId, versionIds, deviceId, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = filter
  return (
    (!kinds || kinds.includes(decision.kind)) &&
    (jobId === undefined || jobId === decision.jobId) &&
    (!versionIds || versionIds.some((id) => id === decision.versionId)) &&
    (deviceId === undefined || deviceId === decision.deviceId) &&
    decision.at >= from &&
    decision.at <= to
  )
}
