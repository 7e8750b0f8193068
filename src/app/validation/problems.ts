/** Collects everything that is wrong with an input, each with the path of its field, so that a caller mends all at once. */
import type { FieldProblem } from '../errors.ts'

/** Told of one job. */
const problemsMax = 100

export class Problems {
  readonly found: FieldProblem[] = []
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** Who made more mistakes than this sees the rest when these are mended. */
  get isFull(): boolean {
    return this.found.length >= problemsMax
  }

  add(path: string, message: string): void {
    if (this.isFull) return
    this.found.push({ path: this.#prefix === '' ? path : `${this.#prefix}.${path}`, message })
  }

  integer(path: string, value: number, minimum: number, maximum: number): void {
    if (!Number.isInteger(value) || value < minimum || value > maximum)
      this.add(path, `must be a whole number from ${minimum} to ${maximum}; given: ${value}.`)
  }

  /** `above`: the smallest value itself is not allowed. */
  number(path: string, value: number, minimum: number, maximum: number, above = false): void {
    const tooSmall = above ? value <= minimum : value < minimum
    if (!Number.isFinite(value) || tooSmall || value > maximum)
      this.add(path, `must be ${above ? 'above' : 'at least'} ${minimum} and at most ${maximum}; given: ${value}.`)
  }

  /** `maxBytes` counts UTF-8 bytes. */
  text(path: string, value: string, maxBytes: number): void {
    if (value.trim() === '') this.add(path, 'must not be empty.')
    // A string of n code units has at least n bytes: long ones need no counting.
    else if (value.length > maxBytes || (value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes))
      this.add(path, `must be at most ${maxBytes} bytes; given: ${Buffer.byteLength(value)}.`)
    else if (value.includes('\u0000')) this.add(path, 'must not contain the character U+0000.')
    else this.wellFormed(path, value)
  }

  /** What is no Unicode text has no bytes that a worker or the database could be given. */
  wellFormed(path: string, value: string): void {
    if (!value.isWellFormed()) this.add(path, 'must be well-formed Unicode; it contains half of a surrogate pair.')
  }
}
