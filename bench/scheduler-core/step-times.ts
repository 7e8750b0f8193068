/** How long each of many steps took: kept one by one, so that the slowest ones are known exactly. */
export class StepTimes {
  readonly #microseconds: Float64Array
  #count = 0

  constructor(capacity: number) {
    this.#microseconds = new Float64Array(capacity)
  }

  get count(): number {
    return this.#count
  }

  add(ms: number): void {
    this.#microseconds[this.#count] = ms * 1000
    this.#count += 1
  }

  /** In microseconds, by nearest rank. */
  quantiles(shares: readonly number[]): number[] {
    const sorted = this.#microseconds.slice(0, this.#count).sort()
    return shares.map((share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN)
  }
}
