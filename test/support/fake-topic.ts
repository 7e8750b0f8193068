/** Published values to followers, by iterators with their own `return()`, as the use cases promise them. */
export class FakeTopic<Value> {
  readonly #followers = new Set<Follower<Value>>()
  /** How many values followers have taken. */
  pulledCount = 0
  /** How often anybody began to follow. */
  followedCount = 0

  /** How many iterators have not been released. */
  get followerCount(): number {
    return this.#followers.size
  }

  publish(value: Value): void {
    for (const follower of this.#followers) follower.push(value)
  }

  /** `past` first, then what is published and wanted; ends after a last one. */
  follow(
    past: readonly Value[],
    isWanted: (value: Value) => boolean,
    isLast: (value: Value) => boolean = () => false,
  ): AsyncIterableIterator<Value> {
    const follower: Follower<Value> = new Follower(past, isWanted, isLast, {
      taken: () => void this.pulledCount++,
      released: () => void this.#followers.delete(follower),
    })
    this.#followers.add(follower)
    this.followedCount++
    return follower
  }

  /** Only what there was. */
  finished(past: readonly Value[]): AsyncIterableIterator<Value> {
    const last = past.at(-1)
    const follower = this.follow(
      past,
      () => false,
      (value) => value === last,
    )
    if (past.length === 0) void follower.return?.()
    return follower
  }
}

interface Notes {
  taken(): void
  released(): void
}

class Follower<Value> implements AsyncIterableIterator<Value> {
  readonly #values: Value[]
  readonly #isWanted: (value: Value) => boolean
  readonly #isLast: (value: Value) => boolean
  readonly #notes: Notes
  #waiter: ((result: IteratorResult<Value>) => void) | null = null
  #hasEnded = false

  constructor(
    past: readonly Value[],
    isWanted: (value: Value) => boolean,
    isLast: (value: Value) => boolean,
    notes: Notes,
  ) {
    this.#values = [...past]
    this.#isWanted = isWanted
    this.#isLast = isLast
    this.#notes = notes
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  push(value: Value): void {
    if (!this.#isWanted(value)) return
    this.#values.push(value)
    const waiter = this.#waiter
    this.#waiter = null
    if (waiter) void this.next().then(waiter)
  }

  next(): Promise<IteratorResult<Value>> {
    const value = this.#values.shift()
    if (this.#hasEnded || (value === undefined && this.#waiter)) return this.#ended()
    if (value === undefined) return new Promise((resolve) => (this.#waiter = resolve))
    this.#notes.taken()
    if (this.#isLast(value)) this.#end()
    return Promise.resolve({ done: false, value })
  }

  return(): Promise<IteratorResult<Value>> {
    this.#end()
    const waiter = this.#waiter
    this.#waiter = null
    waiter?.({ done: true, value: undefined })
    return this.#ended()
  }

  #end(): void {
    this.#hasEnded = true
    this.#notes.released()
  }

  #ended(): Promise<IteratorResult<Value>> {
    return Promise.resolve({ done: true, value: undefined })
  }
}
