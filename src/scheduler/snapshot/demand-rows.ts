/** What was learnt about demand and eviction, as plain JSON and back. */
import type { Anticipation, Seeker } from '../demand/anticipation.ts'
import type { SessionPace } from '../demand/sessions.ts'
import type { Expert } from '../eviction/policies/policies.ts'
import type { Pool } from '../eviction/pool.ts'
import type { Shadow } from '../eviction/shadow.ts'
import type { Millis, SessionId, VersionId } from '../ids.ts'

export interface AnticipationSnapshot {
  readonly weights: readonly number[]
  readonly totals: readonly number[]
  readonly at: Millis | null
  readonly seekers: readonly (readonly [number, Seeker])[]
}

export interface PoolSnapshot {
  readonly key: string
  readonly jobs: number
  readonly meanLoadMs: Millis
  readonly shadows: readonly ShadowSnapshot[]
}

interface ShadowSnapshot {
  readonly expert: Expert
  readonly loss: number
  readonly residents: readonly (readonly [VersionId, number])[]
  readonly risen: number
  readonly risenAt: readonly (readonly [VersionId, number])[]
}

export interface SessionSnapshot extends Omit<SessionPace, 'version'> {
  readonly sessionId: SessionId
  readonly versionId: VersionId
  /** The version knows it: its grace had not ended when that was last looked at. */
  readonly isKnown: boolean
}

export function sessionOut([sessionId, { version, ...facts }]: readonly [SessionId, SessionPace]): SessionSnapshot {
  return { ...facts, sessionId, versionId: version.spec.versionId, isKnown: version.sessions.has(sessionId) }
}

export function anticipationOut({ weights, totals, at, seekers }: Anticipation): AnticipationSnapshot {
  return { weights: [...weights], totals: [...totals], at, seekers: [...seekers] }
}

export function anticipationIn({ weights, totals, at, seekers }: AnticipationSnapshot): Anticipation {
  return { weights: [...weights], totals: [...totals], at, seekers: new Map(seekers) }
}

export function poolOut([key, { jobs, meanLoadMs, shadows }]: readonly [string, Pool]): PoolSnapshot {
  const all = [...shadows].map(([expert, { loss, residents, risen, risenAt }]) => ({
    expert,
    loss,
    residents: [...residents],
    risen,
    risenAt: [...risenAt],
  }))
  return { key, jobs, meanLoadMs, shadows: all }
}

/** Its devices join it when they are there. */
export function poolIn({ jobs, meanLoadMs, shadows }: PoolSnapshot): Pool {
  const all = shadows.map(({ expert, loss, residents, risen, risenAt }): [Expert, Shadow] => [
    expert,
    { loss, residents: new Map(residents), usedBytes: sumOf(residents), risen, risenAt: new Map(risenAt) },
  ])
  return { limitBytes: 0, largestBytes: 0, jobs, meanLoadMs, shadows: new Map(all) }
}

function sumOf(residents: readonly (readonly [VersionId, number])[]): number {
  return residents.reduce((sum, [, bytes]) => sum + bytes, 0)
}
