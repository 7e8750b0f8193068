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

/** What a caller can do about something that is not there. */
const whereToLook: Readonly<Record<string, string>> = {
  Job: 'Finished jobs are deleted after some time (HEARTH_JOB_RETENTION_DAYS); `jobs` lists those that are kept.',
  Model: '`models` lists those that are; registerModel adds one.',
  Session: 'openSession opens one.',
  Device: '`devices` lists those that are.',
  Artifact: 'It may have been deleted with time; upload the file again with PUT /uploads.',
}

export class NotFound {
  readonly kind = 'NotFoundError'
  /** What was looked for: `Job`, `Model`, `Session`, `Device`. */
  readonly what: string
  /** A name as it was given; a number is that of an id, which the API shows in its own form. */
  readonly reference: string | number
  readonly #words: string | null
  constructor(what: string, reference: string | number, words: string | null = null) {
    this.what = what
    this.reference = reference
    this.#words = words
  }

  get message(): string {
    return this.messageAbout(String(this.reference))
  }

  /** `shown`: the reference as its reader knows it. */
  messageAbout(shown: string): string {
    const found = `No ${this.what.toLowerCase()} ${JSON.stringify(shown)} is known here.`
    return this.#words ?? `${found} ${whereToLook[this.what] ?? ''}`.trimEnd()
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
