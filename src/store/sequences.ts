/**
 * The numbers of the event log. They come from blocks that a committed row has reserved, so that a number which somebody saw before a crash is
 * never given to something else after it. The next block is asked for long before the last is used up.
 */
export const sequencesPerBlock = 100_000

export class Sequences {
  readonly #reserve: (limit: number) => Promise<void>
  #next: number
  /** First number that no committed block covers. */
  #reserved: number
  /** The same, once what was asked for is committed. */
  #requested: number

  constructor(first: number, reserved: number, reserve: (limit: number) => Promise<void>) {
    this.#next = first
    this.#reserved = reserved
    this.#requested = reserved
    this.#reserve = reserve
  }

  take(): number {
    const sequence = this.#next++
    if (sequence >= this.#requested - sequencesPerBlock / 2) this.#request()
    return sequence
  }

  /** The greatest number given out. */
  get last(): number {
    return this.#next - 1
  }

  isReserved(sequence: number): boolean {
    return sequence < this.#reserved
  }

  #request(): void {
    const limit = this.#requested + sequencesPerBlock
    this.#requested = limit
    this.#reserve(limit).then(
      () => {
        this.#reserved = limit
      },
      // The store is gone, as everybody who writes learns; numbers above the block just stay unshown.
      () => {},
    )
  }
}
