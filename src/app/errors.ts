export { CursorExpired } from '../store/store.ts'

/** Failures that a caller can expect and act upon. They are returned, not thrown, and become members of a mutation's result union. */
export interface FieldProblem {
  /** Where, as in the input: `task.generateText.maxTokens`, `jobs.3.model`. */
  readonly path: string
  readonly message: string
}

export class InvalidInput {
  readonly kind = 'InvalidInputError'
  readonly fields: readonly FieldProblem[]
  readonly message: string
  constructor(fields: readonly FieldProblem[]) {
    this.fields = fields
    const [first] = fields
    this.message =
      fields.length === 1 && first
        ? `${first.path}: ${first.message}`
        : `${fields.length} fields are not valid; see \`fields\`.`
  }
}

export class NotFound {
  readonly kind = 'NotFoundError'
  /** What was looked for: `Job`, `Model`, `Session`, `Device`. */
  readonly what: string
  readonly reference: string
  readonly message: string
  constructor(
    what: string,
    reference: string,
    message = `No ${what.toLowerCase()} ${JSON.stringify(reference)} is known here.`,
  ) {
    this.what = what
    this.reference = reference
    this.message = message
  }
}

export class Conflict {
  readonly kind = 'ConflictError'
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

export class Overloaded {
  readonly kind = 'OverloadedError'
  /** Which limit was reached: `queue`, `write_queue`, `storage`, `disk`, `uploads`, `draining`. */
  readonly limit: string
  readonly retryAfterMs: number
  readonly message: string
  constructor(limit: string, retryAfterMs: number, message: string) {
    this.limit = limit
    this.retryAfterMs = retryAfterMs
    this.message = message
  }
}

export class ModelTooLarge {
  readonly kind = 'ModelTooLargeError'
  readonly neededBytes: number
  readonly availableBytes: number
  readonly suggestion: string
  readonly message: string
  constructor(message: string, neededBytes: number, availableBytes: number, suggestion: string) {
    this.message = message
    this.neededBytes = neededBytes
    this.availableBytes = availableBytes
    this.suggestion = suggestion
  }
}

export type AppError = InvalidInput | NotFound | Conflict | Overloaded | ModelTooLarge
