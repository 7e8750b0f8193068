/**
 * Items by turn: a number that each carries, and among equals by arrival, which is unique; both are fixed while it is inside. Most come in at the end and
 * leave at the front; some return into the middle (a job that lost its worker keeps its place), come there (a user who had little until now), or leave
 * from there (cancelled). A sorted array cut into chunks: every operation touches one chunk, and finding it is a binary search. With 100,000 items a rank
 * costs about 200 additions.
 */
export interface Ordered {
  readonly order: number
  readonly arrival: number
}

/** Negative: `a` has its turn before `b`. */
export function compareTurns(a: Ordered, b: Ordered): number {
  return a.order - b.order || a.arrival - b.arrival
}

const chunkLengthMax = 512

export class OrderedQueue<Item extends Ordered> implements Iterable<Item> {
  /** None is empty. */
  readonly #chunks: Item[][] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  first(): Item | undefined {
    return this.#chunks[0]?.[0]
  }

  last(): Item | undefined {
    return this.#chunks.at(-1)?.at(-1)
  }

  add(item: Item): void {
    this.#size += 1
    const last = this.#chunks.at(-1)
    if (!last || (last.length >= chunkLengthMax && follows(item, last))) {
      this.#chunks.push([item])
    } else if (follows(item, last)) {
      last.push(item)
    } else {
      this.#insert(item)
    }
  }

  /** False if it was not inside. */
  remove(item: Item): boolean {
    const at = this.#chunkOf(item)
    const chunk = this.#chunks[at]
    if (!chunk) return false
    const index = placeIn(chunk, item)
    if (chunk[index] !== item) return false
    chunk.splice(index, 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
    this.#size -= 1
    return true
  }

  has(item: Item): boolean {
    const chunk = this.#chunks[this.#chunkOf(item)] ?? []
    return chunk[placeIn(chunk, item)] === item
  }

  /** The item that has so many ahead of it. */
  at(rank: number): Item | undefined {
    let left = rank
    for (const chunk of this.#chunks) {
      if (left < chunk.length) return chunk[left]
      left -= chunk.length
    }
    return undefined
  }

  /** How many items inside are ahead of it, wherever it is itself. */
  rank(item: Ordered): number {
    const at = this.#chunkOf(item)
    let ahead = 0
    for (let index = 0; index < at; index += 1) ahead += this.#chunks[index]?.length ?? 0
    const chunk = this.#chunks[at]
    return chunk ? ahead + placeIn(chunk, item) : ahead
  }

  /** The first `count` items. */
  take(count: number): Item[] {
    const taken: Item[] = []
    for (const chunk of this.#chunks) {
      if (taken.length >= count) break
      taken.push(...chunk.slice(0, count - taken.length))
    }
    return taken
  }

  /** The first that fits, among the first `count` items. */
  find(fits: (item: Item) => boolean, count: number): Item | undefined {
    let left = count
    for (const item of this) {
      if (left <= 0) return undefined
      if (fits(item)) return item
      left -= 1
    }
    return undefined
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (const chunk of this.#chunks) yield* chunk
  }

  #insert(item: Item): void {
    const at = this.#chunkOf(item)
    const chunk = this.#chunks[at]
    if (!chunk) throw new Error(`No chunk for order ${item.order}; an item that follows all others is appended.`)
    chunk.splice(placeIn(chunk, item), 0, item)
    if (chunk.length > chunkLengthMax) this.#chunks.splice(at + 1, 0, chunk.splice(chunkLengthMax / 2))
  }

  /** Index of the first chunk whose last item is not before this one; the number of chunks if there is none. */
  #chunkOf(item: Ordered): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const last = this.#chunks[middle]?.at(-1)
      if (last && compareTurns(last, item) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function follows(item: Ordered, chunk: readonly Ordered[]): boolean {
  const last = chunk.at(-1)
  return last === undefined || compareTurns(last, item) < 0
}

/** Index of the first that is not before this one. */
function placeIn(chunk: readonly Ordered[], item: Ordered): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = chunk[middle]
    if (other && compareTurns(other, item) < 0) low = middle + 1
    else high = middle
  }
  return low
}
