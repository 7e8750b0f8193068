/** What is fuzzed: something that reads what strangers send. */
export interface Target {
  readonly name: string
  /** Inputs that are right, or nearly so; others are made from them. */
  readonly seeds: readonly Buffer[]
  /** What the seeds are written in, where changing their bytes alone would hardly ever give something that can be read. */
  readonly form?: 'json'
  /** Pieces that mean something to the reader. */
  readonly words: readonly string[]
  /** Memory that may be held longer than an input, such as a bounded cache. */
  readonly keptBytesMax?: number
  /** Reads the input. Refusing it as documented is right; anything else that is thrown has been found. */
  readonly read: (input: Buffer) => void | Promise<void>
}

/** Passes a refusal of one of these classes, exactly; a TypeError is no refusal, though it is an Error. */
export function refusedAs(error: unknown, ...classes: readonly (new (...args: never[]) => Error)[]): void {
  if (!classes.some((refusal) => error instanceof Error && error.constructor === refusal)) throw error
  if (error instanceof Error && error.message.length === 0) throw new Error('A refusal says nothing.', { cause: error })
}

/** What must hold of a result. */
export function holds(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`Does not hold: ${what}.`)
}
