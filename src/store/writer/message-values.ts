/**
 * What operations are made of on their way to the writer's thread: one flat array of primitives for a whole batch, because cloning nested
 * objects costs several times as much. An operation is its code, the count of the values that follow, and those values.
 */
export type Primitive = string | number | null | Uint8Array

/** Appends one operation; `write` appends its values. */
export function append(values: Primitive[], code: number, write: (values: Primitive[]) => void): void {
  const start = values.length
  values.push(code, 0)
  try {
    write(values)
  } catch (error) {
    // Half an operation would garble the rest of the batch.
    values.length = start
    throw error
  }
  values[start + 1] = values.length - start - 2
}

/** Reads what `append` wrote, operation by operation, value by value. Types are the writer's promise, checked where they differ. */
export class MessageReader {
  readonly #values: readonly Primitive[]
  #at = 0
  #end = 0

  constructor(values: readonly Primitive[]) {
    this.#values = values
  }

  /** Code of the next operation, whatever of the former was left unread; null after the last. */
  nextOperation(): number | null {
    this.#at = this.#end
    if (this.#at === this.#values.length) return null
    const code = this.number()
    const length = this.number()
    this.#end = this.#at + length
    return code
  }

  /** Starts again with the first operation. */
  rewind(): void {
    this.#at = 0
    this.#end = 0
  }

  value(): Primitive {
    const value = this.#values[this.#at++]
    if (value === undefined) throw new Error(`The batch ends inside an operation, at value ${this.#at}.`)
    return value
  }

  number(): number {
    const value = this.value()
    if (typeof value !== 'number')
      throw new TypeError(`Value ${this.#at - 1} of the batch should be a number, not ${typeof value}.`)
    return value
  }

  text(): string {
    const value = this.value()
    if (typeof value !== 'string')
      throw new TypeError(`Value ${this.#at - 1} of the batch should be text, not ${typeof value}.`)
    return value
  }

  take(count: number): readonly Primitive[] {
    this.#at += count
    return this.#values.slice(this.#at - count, this.#at)
  }
}
