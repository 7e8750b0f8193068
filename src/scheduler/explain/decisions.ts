/**
 * What the scheduler has decided, as numbers in a ring: kind, reason, ids, and how the winner and up to three losers scored.
 * Bounded; counts what it dropped. Words are made by who reads (`decision-words.ts`, `scores.ts`).
 */
import type { DeviceId, JobId, Millis, VersionId, WorkerId } from '../ids.ts'
import { partsMax, type Score, type ScoreScheme, scoreSchemes } from './scores.ts'

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

const scoresMax = 4
const headLength = 11
const scoreHeadLength = 2
const scoreLength = scoreHeadLength + partsMax
const stride = headLength + scoresMax * scoreLength
const kindIndex = indexOf(decisionKinds)
const reasonIndex = indexOf(decisionReasons)
const schemeNames = Object.keys(scoreSchemes) as readonly ScoreScheme[]
const schemeIndex = indexOf(schemeNames)
const noScores: readonly Score[] = []

export class DecisionRing {
  readonly #numbers: Float64Array
  readonly #capacity: number
  #total = 0
  /** Decisions of former states, which are counted and not here. */
  #before = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#numbers = new Float64Array(capacity * stride)
  }

  get total(): number {
    return this.#total
  }

  get dropped(): number {
    return Math.max(this.#before, this.#total - this.#capacity)
  }

  /** Continues the count of a former ring; what it held is gone. */
  continueFrom(total: number): void {
    this.#total = total
    this.#before = total
  }

  record(at: Millis, decision: NewDecision): void {
    const numbers = this.#numbers
    const base = (this.#total % this.#capacity) * stride
    const scores = decision.scores ?? noScores
    const scoreCount = Math.min(scores.length, scoresMax)
    this.#total += 1
    numbers[base] = at
    numbers[base + 1] = kindIndex.get(decision.kind) ?? 0
    numbers[base + 2] = reasonIndex.get(decision.reason) ?? 0
    numbers[base + 3] = decision.jobId ?? 0
    numbers[base + 4] = decision.versionId ?? 0
    numbers[base + 5] = decision.deviceId ?? 0
    numbers[base + 6] = decision.workerId ?? 0
    numbers[base + 7] = decision.forVersionId ?? 0
    numbers[base + 8] = decision.amount ?? Number.NaN
    numbers[base + 9] = schemeIndex.get(decision.scheme ?? 'room') ?? 0
    numbers[base + 10] = scoreCount
    for (let index = 0; index < scoreCount; index += 1) {
      const score = scores[index]
      if (score) this.#write(score, base + headLength + index * scoreLength)
    }
  }

  #write({ deviceId, versionId, parts }: Score, base: number): void {
    const numbers = this.#numbers
    numbers[base] = deviceId ?? 0
    numbers[base + 1] = versionId ?? 0
    for (let part = 0; part < partsMax; part += 1) numbers[base + scoreHeadLength + part] = parts[part] ?? 0
  }

  /** Newest first, those with a number below `before`. Looks at all there are, so most are left out before they are decoded. */
  *read(filter: DecisionFilter = {}, before: number = Number.POSITIVE_INFINITY): Generator<Decision> {
    const { jobId, versionIds } = filter
    const numbers = this.#numbers
    for (let sequence = Math.min(this.#total, before - 1); sequence > this.dropped; sequence -= 1) {
      const base = ((sequence - 1) % this.#capacity) * stride
      if (jobId !== undefined && numbers[base + 3] !== jobId) continue
      if (versionIds && !versionIds.some((id) => numbers[base + 4] === id)) continue
      const decision = this.at(sequence)
      if (isWanted(filter, decision)) yield decision
    }
  }

  /** One that was not dropped yet. */
  at(sequence: number): Decision {
    const base = ((sequence - 1) % this.#capacity) * stride
    const number = (offset: number) => this.#numbers[base + offset] ?? 0
    const scheme = schemeNames[number(9)] ?? 'room'
    const scores = Array.from({ length: number(10) }, (_, index) =>
      this.#scoreAt(base + headLength + index * scoreLength, scheme),
    )
    return {
      sequence,
      at: number(0),
      kind: decisionKinds[number(1)] ?? 'ADMIT',
      reason: decisionReasons[number(2)] ?? 'worker_has_room',
      jobId: idOrNull<JobId>(number(3)),
      versionId: idOrNull<VersionId>(number(4)),
      deviceId: idOrNull<DeviceId>(number(5)),
      workerId: idOrNull<WorkerId>(number(6)),
      forVersionId: idOrNull<VersionId>(number(7)),
      amount: Number.isNaN(number(8)) ? null : number(8),
      scheme,
      scores,
    }
  }

  #scoreAt(base: number, scheme: ScoreScheme): Score {
    const partsAt = base + scoreHeadLength
    return {
      deviceId: idOrNull<DeviceId>(this.#numbers[base] ?? 0),
      versionId: idOrNull<VersionId>(this.#numbers[base + 1] ?? 0),
      parts: [...this.#numbers.subarray(partsAt, partsAt + scoreSchemes[scheme].length)],
    }
  }
}

/** The ring holds plain numbers; this is where they become ids again. */
function idOrNull<Id extends number>(value: number): Id | null {
  return value === 0 ? null : (value as Id)
}

function indexOf<Name extends string>(names: readonly Name[]): ReadonlyMap<Name, number> {
  return new Map(names.map((name, index) => [name, index]))
}
