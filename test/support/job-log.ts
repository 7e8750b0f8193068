/** A job's event log as one subscriber gets it: collected as it arrives, with conditions on it to wait for. */
import type { Hearth } from './hearth.ts'
import { subscribe, type Transport } from './subscriptions.ts'

export interface JobOutput {
  readonly __typename: string
  readonly text?: string
  readonly finishReason?: 'STOP' | 'LENGTH' | 'CANCELLED'
  readonly promptTokens?: number
  readonly completionTokens?: number
  readonly embeddings?: readonly (readonly number[])[]
  readonly dimensions?: number
  readonly count?: number
  readonly values?: unknown
  readonly images?: readonly PictureOutput[]
}
export interface PictureFile {
  readonly url: string
  readonly sha256: string
  readonly mimeType: string
  readonly width: number | null
  readonly height: number | null
}
export interface PictureOutput {
  readonly image: PictureFile | null
  readonly withheld: boolean
  readonly seed: number
  readonly safety: { readonly safe: boolean; readonly score: number; readonly checkedBy: string } | null
}
export interface JobFailure {
  readonly code: string
  readonly message: string
  readonly retryable: boolean
}
export interface JobEvent {
  readonly __typename: string
  readonly cursor: string
  readonly attempt: number
  readonly sequence: number
  readonly at: string
  readonly jobId: string
  readonly item?: number
  readonly step?: number
  readonly totalSteps?: number
  readonly offset?: number
  readonly text?: string
  readonly values?: readonly unknown[]
  readonly fromStep?: number
  readonly message?: string
  readonly image?: PictureFile
  readonly output?: JobOutput
  readonly error?: JobFailure
}

const pictureFields = 'image { url sha256 mimeType width height }'
export const outputFields = `__typename
  ... on ImagesOutput { images { ${pictureFields} withheld seed safety { safe score checkedBy } } }
  ... on TextOutput { text finishReason promptTokens completionTokens }
  ... on EmbeddingsOutput { embeddings dimensions count }
  ... on ProgramOutput { values }`
export const eventFields = `__typename cursor attempt sequence at jobId
  ... on StepCompleted { item step totalSteps }
  ... on PreviewReady { item step ${pictureFields} }
  ... on JobPaused { message }
  ... on JobCancelled { message }
  ... on TextDelta { offset text }
  ... on PartialResult { values }
  ... on JobRequeued { fromStep error { code message retryable } }
  ... on JobSucceeded { output { ${outputFields} } }
  ... on JobFailed { error { code message retryable } }`
const watchSubscription = `subscription ($id: ID, $key: String, $after: String) {
  jobEvents(id: $id, idempotencyKey: $key, after: $after) { ${eventFields} } }`

export interface WatchOptions {
  readonly transport?: Transport
  /** A cursor; without one, from the beginning. */
  readonly after?: string
}

export function watch(hearth: Hearth, id: string, options: WatchOptions = {}): JobLog {
  return watchBy(hearth, { id }, options)
}
export function watchByKey(hearth: Hearth, key: string, options: WatchOptions = {}): JobLog {
  return watchBy(hearth, { key }, options)
}

const finalTypes: readonly string[] = ['JobSucceeded', 'JobFailed', 'JobCancelled']
export const isFinal = (event: JobEvent): boolean => finalTypes.includes(event.__typename)
/** What a slow reader may miss. */
export const isSkippable = (event: JobEvent): boolean =>
  event.__typename === 'StepCompleted' || event.__typename === 'PreviewReady'

/** The rule of the schema: right after any retry. */
export function textOf(events: readonly JobEvent[]): string {
  let text = ''
  for (const event of events) {
    if (event.__typename === 'TextDelta') text = text.slice(0, event.offset ?? 0) + (event.text ?? '')
  }
  return text
}

/** All items of the job's last attempt, in order. */
export function itemsOf(events: readonly JobEvent[]): unknown[] {
  const restart = events.findLastIndex(({ __typename }) => __typename === 'JobRequeued')
  return events.slice(restart + 1).flatMap(({ values }) => values ?? [])
}

export class JobLog {
  readonly events: JobEvent[] = []
  /** Resolves when the server ends the stream, or after `hangUp`; rejects with the errors of the stream. */
  readonly ended: Promise<void>
  readonly #hangUp = new AbortController()
  readonly #waiting = new Set<() => void>()
  #over = false

  constructor(open: (hangUp: AbortSignal) => AsyncGenerator<JobEvent>) {
    this.ended = this.#collect(open(this.#hangUp.signal))
    // Who waits for a condition hears of a failure too; without a waiter it must not end the test run.
    this.ended.catch(() => {})
  }

  get text(): string {
    return textOf(this.events)
  }
  get types(): string[] {
    return this.events.map(({ __typename }) => __typename)
  }

  /** The first event, already seen or to come, for which `condition` holds. */
  async reaches(what: string, condition: (event: JobEvent) => boolean, withinMs = 30_000): Promise<JobEvent> {
    const late = AbortSignal.timeout(withinMs)
    late.addEventListener('abort', () => this.#wake())
    for (let next = 0; ; ) {
      for (; next < this.events.length; next++) {
        const event = this.events[next]
        if (event && condition(event)) return event
      }
      if (this.#over) await this.ended
      if (this.#over || late.aborted) throw new Error(`The job never reached: ${what}. Seen: ${this.types.join(', ')}.`)
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }
  event(type: string, withinMs?: number): Promise<JobEvent> {
    return this.reaches(type, ({ __typename }) => __typename === type, withinMs)
  }

  /** The job's last event, once the stream has ended by itself. */
  async final(withinMs = 60_000): Promise<JobEvent> {
    const event = await this.reaches('its end', isFinal, withinMs)
    await this.ended
    return event
  }
  async output(): Promise<JobOutput> {
    const { __typename, output, error } = await this.final()
    if (!output) throw new Error(`The job ended with ${__typename}: ${JSON.stringify(error)}`)
    return output
  }

  /** Loses the connection. */
  async hangUp(): Promise<void> {
    this.#hangUp.abort()
    await this.ended.catch(() => {})
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }

  async #collect(source: AsyncGenerator<JobEvent>): Promise<void> {
    try {
      for await (const event of source) {
        this.events.push(event)
        this.#wake()
      }
    } finally {
      this.#over = true
      this.#wake()
    }
  }
}

function watchBy(hearth: Hearth, which: { id: string } | { key: string }, options: WatchOptions): JobLog {
  const { transport = 'WebSocket', after = null } = options
  const operation = { query: watchSubscription, variables: { ...which, after } }
  return new JobLog(async function* (hangUp) {
    for await (const { data, errors } of subscribe<{ jobEvents: JobEvent }>(hearth, transport, operation, hangUp)) {
      if (errors || !data) throw new SubscriptionError(errors ?? [])
      yield data.jobEvents
    }
  })
}

/** GraphQL errors of a subscription, with their codes. */
export class SubscriptionError extends Error {
  readonly codes: readonly unknown[]
  constructor(
    errors: readonly { readonly message: string; readonly extensions?: Readonly<Record<string, unknown>> }[],
  ) {
    super(errors.map(({ message }) => message).join('; '))
    this.codes = errors.map(({ extensions }) => extensions?.['code'])
  }
}
