/** Jobs as a client of the public API sees them: submitted, followed to their end. */
import { type Operation, operation } from './operation.ts'

/** What a connection must be able to do, WebSocket or HTTP. */
export interface Connection {
  ask(operation: Operation, variables: Readonly<Record<string, unknown>>): Promise<unknown>
  stream(
    operation: Operation,
    variables: Readonly<Record<string, unknown>>,
    onNext: (data: unknown) => void,
  ): Promise<void>
}

export type SubmitJobInput = Readonly<Record<string, unknown>>

export interface JobEvent {
  readonly __typename: string
  readonly output?: {
    readonly values?: unknown
    readonly text?: string
    readonly completionTokens?: number
    readonly finishReason?: string
  }
  readonly error?: { readonly code: string; readonly message: string }
  readonly values?: readonly unknown[]
  readonly text?: string
}

const submitJob = operation(`
  mutation Submit($input: SubmitJobInput!) {
    submitJob(input: $input) { __typename ... on SubmitJobSuccess { job { id } } ... on Error { message } }
  }`)

const submitJobs = operation(`
  mutation SubmitMany($input: SubmitJobsInput!) {
    submitJobs(input: $input) { __typename ... on SubmitJobsSuccess { jobs { id } } ... on Error { message } }
  }`)

/** Every event of a job, with what a front end shows of it. */
const jobEvents = operation(`
  subscription Events($id: ID!) {
    jobEvents(id: $id) {
      __typename
      ... on PartialResult { values }
      ... on TextDelta { text }
      ... on JobSucceeded { output { ... on ProgramOutput { values } ... on TextOutput { text completionTokens finishReason } } }
      ... on JobFailed { error { code message } }
    }
  }`)

export const finalEvents: ReadonlySet<string> = new Set(['JobSucceeded', 'JobFailed', 'JobCancelled'])

/** Acknowledged, so durable: its id. Throws what the server said when it was refused. */
export async function submit(connection: Connection, input: SubmitJobInput): Promise<string> {
  const { submitJob: result } = (await connection.ask(submitJob, { input })) as {
    submitJob: Submitted<{ readonly id: string }>
  }
  if (result.job === undefined) throw new Error(`submitJob answered ${result.__typename}: ${result.message}`)
  return result.job.id
}

export async function submitMany(connection: Connection, inputs: readonly SubmitJobInput[]): Promise<string[]> {
  const { submitJobs: result } = (await connection.ask(submitJobs, { input: { jobs: inputs } })) as {
    submitJobs: SubmittedMany
  }
  if (result.jobs === undefined) throw new Error(`submitJobs answered ${result.__typename}: ${result.message}`)
  return result.jobs.map(({ id }) => id)
}

/** All events of a job from its beginning to its end. */
export function follow(connection: Connection, id: string, onEvent: (event: JobEvent) => void): Promise<void> {
  return connection.stream(jobEvents, { id }, (data) => onEvent((data as { jobEvents: JobEvent }).jobEvents))
}

/** Submits, follows, and gives the final event; throws unless the job succeeded. */
export async function runJob(
  connection: Connection,
  input: SubmitJobInput,
  onEvent?: (event: JobEvent) => void,
): Promise<JobEvent> {
  const id = await submit(connection, input)
  let final: JobEvent | null = null
  await follow(connection, id, (event) => {
    onEvent?.(event)
    if (finalEvents.has(event.__typename)) final = event
  })
  return succeeded(final, id)
}

function succeeded(final: JobEvent | null, id: string): JobEvent {
  if (final?.__typename === 'JobSucceeded') return final
  throw new Error(`Job ${id} ended with ${final?.__typename ?? 'no final event'}: ${JSON.stringify(final?.error)}`)
}

interface Submitted<Job> {
  readonly __typename: string
  readonly job?: Job
  readonly message?: string
}

interface SubmittedMany {
  readonly __typename: string
  readonly jobs?: readonly { readonly id: string }[]
  readonly message?: string
}
