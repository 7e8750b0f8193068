/** Decisions in words. What they are about may be gone by now; the store still knows what it was called. */
import { describeDecision, describeScore, type Names, type ScorePart } from '../scheduler/explain/decision-words.ts'
import type { Decision } from '../scheduler/explain/decisions.ts'
import { scoreOf } from '../scheduler/explain/scores.ts'
import type { DeviceId, VersionId } from '../scheduler/ids.ts'
import type { Store } from '../store/store.ts'
import type { Catalogue } from './catalogue.ts'

export { decisionKinds } from '../scheduler/explain/decisions.ts'

export interface DecisionText {
  readonly reason: string
  /** Winner first; empty where there was nothing to choose. */
  readonly alternatives: readonly AlternativeView[]
}
export interface AlternativeView {
  readonly summary: string
  readonly chosen: boolean
  readonly deviceId: DeviceId | null
  readonly versionId: VersionId | null
  readonly score: number | null
  readonly parts: readonly ScorePart[]
}

export interface NameSources {
  readonly catalogue: Pick<Catalogue, 'version'>
  readonly store: Pick<Store, 'readDevice' | 'readModel' | 'readVersion'>
}

export async function decisionText(sources: NameSources, decision: Decision): Promise<DecisionText> {
  const names = await namesIn(sources, decision)
  const { scheme, scores } = decision
  return {
    reason: describeDecision(names, decision),
    alternatives: scores.map((score, place) => ({
      ...describeScore(names, scheme, score),
      chosen: isChosen(decision, place),
      deviceId: score.deviceId,
      versionId: score.versionId,
      score: scoreOf(scheme, score),
    })),
  }
}

/** The winner is the first, unless several models leave at once: each of them is told of with the same scores. */
function isChosen({ kind, versionId, scores }: Decision, place: number): boolean {
  const isNamed = kind === 'EVICT' && scores.some((score) => score.versionId !== null && score.versionId === versionId)
  return isNamed ? scores[place]?.versionId === versionId : place === 0
}

async function namesIn({ catalogue, store }: NameSources, decision: Decision): Promise<Names> {
  const { deviceId, versionId, forVersionId, scores } = decision
  const devices = new Set([deviceId, ...scores.map((score) => score.deviceId)].filter((id) => id !== null))
  const versions = new Set(
    [versionId, forVersionId, ...scores.map((score) => score.versionId)].filter((id) => id !== null),
  )
  const nameOfModel = async (id: VersionId) => {
    const known = catalogue.version(id)?.model
    if (known) return known.name
    const version = await store.readVersion(id)
    return version && ((await store.readModel(version.modelId))?.name ?? null)
  }
  const nameOfDevice = async (id: DeviceId) => (await store.readDevice(id))?.name ?? null
  const [deviceNames, modelNames] = await Promise.all([named(devices, nameOfDevice), named(versions, nameOfModel)])
  return { device: (id) => deviceNames.get(id) ?? null, model: (id) => modelNames.get(id) ?? null }
}

async function named<Id>(
  ids: Iterable<Id>,
  nameOf: (id: Id) => Promise<string | null>,
): Promise<Map<Id, string | null>> {
  return new Map(await Promise.all(Array.from(ids, async (id) => [id, await nameOf(id)] as const)))
}
