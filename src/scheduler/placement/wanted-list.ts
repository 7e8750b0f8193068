/**
 * Versions that are to be loaded somewhere, most urgent first: by rank, then by the oldest task that waits for them. A sorted array: there are a few
 * thousand at the most, finding a place is a binary search, and making it moves a few kilobytes.
 */
import type { Version } from '../state.ts'

/** Less goes first. */
export interface Urgency {
  readonly rank: number
  readonly order: number
}

export class WantedList implements Iterable<Version> {
  readonly #versions: Version[] = []

  get size(): number {
    return this.#versions.length
  }

  has({ urgency }: Version): boolean {
    return urgency !== null
  }

  /** Joins, or moves to its new place. True if it is new or of another rank. */
  put(version: Version, urgency: Urgency): boolean {
    const before = version.urgency
    if (before && before.rank === urgency.rank && before.order === urgency.order) return false
    if (before) this.delete(version)
    version.urgency = urgency
    this.#versions.splice(this.#placeOf(version), 0, version)
    return before?.rank !== urgency.rank
  }

  /** False if it was not inside. */
  delete(version: Version): boolean {
    if (!version.urgency) return false
    this.#versions.splice(this.#placeOf(version), 1)
    version.urgency = null
    return true
  }

  /** The most urgent ones. */
  first(count: number): Version[] {
    return this.#versions.slice(0, count)
  }

  [Symbol.iterator](): Iterator<Version> {
    return this.#versions[Symbol.iterator]()
  }

  /** Index of the first that does not go before it. */
  #placeOf(version: Version): number {
    let low = 0
    let high = this.#versions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.#versions[middle]
      if (other && isMoreUrgent(other, version)) low = middle + 1
      else high = middle
    }
    return low
  }
}

export function isMoreUrgent(a: Version, b: Version): boolean {
  if (!a.urgency || !b.urgency) return a.urgency !== null
  return (
    (a.urgency.rank - b.urgency.rank || a.urgency.order - b.urgency.order || a.spec.versionId - b.spec.versionId) < 0
  )
}
