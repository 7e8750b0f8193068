/**
 * Items in the order of a number that each carries, unique and fixed while it is inside. Most come in at the end and leave at the front;
 * some return into the middle (a job that lost its worker keeps its place) or leave from there (cancelled). A sorted array cut into chunks:
 * every operation touches one chunk, and finding it is a binary search. With 100,000 items a rank costs about 200 additions.
 */
export interface Ordered {
  readonly order: number
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
    const at = this.#chunkOf(item.order)
    const chunk = this.#chunks[at]
    if (!chunk) return false
    const index = placeIn(chunk, item.order)
    if (chunk[index] !== item) return false
    chunk.splice(index, 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
    this.#size -= 1
    return true
  }

  has(item: Item): boolean {
    const chunk = this.#chunks[this.#chunkOf(item.order)] ?? []
    return chunk[placeIn(chunk, item.order)] === item
  }

  /** How many items inside are ahead of `order`. */
  rank(order: number): number {
    const at = this.#chunkOf(order)
    let ahead = 0
    for (let index = 0; index < at; index += 1) ahead += this.#chunks[index]?.length ?? 0
    const chunk = this.#chunks[at]
    return chunk ? ahead + placeIn(chunk, order) : ahead
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
    const at = this.#chunkOf(item.order)
    const chunk = this.#chunks[at]
    if (!chunk) throw new Error(`No chunk for order ${item.order}; an item that follows all others is appended.`)
    chunk.splice(placeIn(chunk, item.order), 0, item)
    if (chunk.length > chunkLengthMax) this.#chunks.splice(at + 1, 0, chunk.splice(chunkLengthMax / 2))
  }

  /** Index of the first chunk whose last item has at least this order; the number of chunks if there is none. */
  #chunkOf(order: number): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const last = this.#chunks[middle]?.at(-1)
      if (last && last.order < order) low = middle + 1
      else high = middle
    }
    return low
  }
}

function follows(item: Ordered, chunk: readonly Ordered[]): boolean {
  const last = chunk.at(-1)
  return last === undefined || last.order < item.order
}

/** Index of the first item with at least this order. */
function placeIn(chunk: readonly Ordered[], order: number): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = chunk[middle]
    if (item && item.order < order) low = middle + 1
    else high = middle
  }
  return low
}
