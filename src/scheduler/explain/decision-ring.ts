/**
 * Decisions as numbers in a ring: kind, reason, ids, and how the winner and up to three losers scored. Recording one allocates nothing. Bounded; counts
 * what it dropped.
 */
import type { DeviceId, JobId, Millis, VersionId, WorkerId } from '../ids.ts'
import { type Decision, type DecisionFilter, decisionKinds, decisionReasons, type NewDecision } from './decisions.ts'
import { partsMax, type Score, type ScoreScheme, scoreSchemes } from './scores.ts'

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

/** A filter in the numbers of the ring. */
interface WantedNumbers {
  readonly kinds: ReadonlySet<number> | null
  readonly jobId: number | undefined
  readonly versionIds: ReadonlySet<number> | null
  readonly deviceId: number | undefined
  readonly from: number
  readonly to: number
}

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

  /** Newest first, those with a number below `before`. Looks at all there are, so they are sorted out as numbers, before they are decoded. */
  *read(filter: DecisionFilter = {}, before: number = Number.POSITIVE_INFINITY): Generator<Decision> {
    const wanted = wantedNumbers(filter)
    for (let sequence = Math.min(this.#total, before - 1); sequence > this.dropped; sequence -= 1)
      if (this.#isWanted(sequence, wanted)) yield this.at(sequence)
  }

  count(filter: DecisionFilter = {}): number {
    const wanted = wantedNumbers(filter)
    let found = 0
    for (let sequence = this.#total; sequence > this.dropped; sequence -= 1)
      if (this.#isWanted(sequence, wanted)) found += 1
    return found
  }

  #isWanted(sequence: number, { kinds, jobId, versionIds, deviceId, from, to }: WantedNumbers): boolean {
    const numbers = this.#numbers
    const base = ((sequence - 1) % this.#capacity) * stride
    const at = numbers[base] ?? 0
    return (
      (jobId === undefined || numbers[base + 3] === jobId) &&
      (!versionIds || versionIds.has(numbers[base + 4] ?? 0)) &&
      (!kinds || kinds.has(numbers[base + 1] ?? 0)) &&
      (deviceId === undefined || numbers[base + 5] === deviceId) &&
      at >= from &&
      at <= to
    )
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

function wantedNumbers({ kinds, jobId, versionIds, deviceId, from, to }: DecisionFilter): WantedNumbers {
  return {
    kinds: kinds ? new Set(kinds.map((kind) => kindIndex.get(kind) ?? 0)) : null,
    jobId,
    versionIds: versionIds ? new Set(versionIds) : null,
    deviceId,
    from: from ?? Number.NEGATIVE_INFINITY,
    to: to ?? Number.POSITIVE_INFINITY,
  }
}

/** The ring holds plain numbers; this is where they become ids again. */
function idOrNull<Id extends number>(value: number): Id | null {
  return value === 0 ? null : (value as Id)
}

function indexOf<Name extends string>(names: readonly Name[]): ReadonlyMap<Name, number> {
  return new Map(names.map((name, index) => [name, index]))
}
