/**
 * A stream of recent values for any number of readers. The last `capacity` values are kept once, whoever reads; a reader is a position among them,
 * so a slow one costs nothing and skips what has left the ring.
 */
export class Topic<Value> {
  readonly #ring: Value[] = []
  readonly #capacity: number
  readonly #waiting = new Set<() => void>()
  /** Number of the next value; `#ring` holds those before it. */
  #next = 0
  #closed = false

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  publish(value: Value): void {
    this.#ring[this.#next % this.#capacity] = value
    this.#next += 1
    this.#wake()
  }

  /** Ends every reader. */
  close(): void {
    this.#closed = true
    this.#wake()
  }

  /** Values published from now on that satisfy `wanted`. `return()` wakes a waiting `next()`. */
  read(wanted: (value: Value) => boolean = () => true): AsyncIterableIterator<Value> {
    let position = this.#next
    let ended = false
    let wakeWaiting: (() => void) | null = null
    const take = (): IteratorResult<Value> | null => {
      if (ended) return { done: true, value: undefined }
      position = Math.max(position, this.#next - this.#capacity)
      while (position < this.#next) {
        const value = this.#ring[position % this.#capacity] as Value
        position += 1
        if (wanted(value)) return { done: false, value }
      }
      return this.#closed ? { done: true, value: undefined } : null
    }
    const next = async (): Promise<IteratorResult<Value>> => {
      for (;;) {
        const taken = take()
        if (taken) return taken
        await new Promise<void>((resolve) => {
          wakeWaiting = resolve
          this.#waiting.add(resolve)
        })
      }
    }
    const end = (): Promise<IteratorResult<Value>> => {
      ended = true
      if (wakeWaiting) {
        this.#waiting.delete(wakeWaiting)
        wakeWaiting()
      }
      return Promise.resolve({ done: true, value: undefined })
    }
    return {
      next,
      return: end,
      throw: end,
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  get readers(): number {
    return this.#waiting.size
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}
