/** Which slabs the models have filled: how many of a size in one frame. A worker that loads such a model gets them ahead of need. */
import type { VersionId } from '../../scheduler/ids.ts'

/** Slabs by their size. */
export type SlabCounts = ReadonlyMap<number, number>

/** Of so many models it is remembered; the one that filled slabs longest ago is forgotten first. */
const versionsMax = 1000

export class SlabDemand {
  readonly #byVersion = new Map<VersionId, Map<number, number>>()

  /** A frame with outputs of this model filled so many. */
  note(versionId: VersionId, filled: SlabCounts): void {
    const known = this.#byVersion.get(versionId) ?? new Map<number, number>()
    for (const [sizeBytes, count] of filled) known.set(sizeBytes, Math.max(known.get(sizeBytes) ?? 0, count))
    this.#byVersion.delete(versionId)
    this.#byVersion.set(versionId, known)
    const [oldest] = this.#byVersion.keys()
    if (this.#byVersion.size > versionsMax && oldest !== undefined) this.#byVersion.delete(oldest)
  }

  of(versionId: VersionId): SlabCounts {
    return this.#byVersion.get(versionId) ?? new Map<number, number>()
  }
}
