/** What jobs with tensors, labels and files give, read over the API of a real server. */
import type { Hearth } from './hearth.ts'
import { watch } from './job-log.ts'
import { type JobInput, submit } from './submissions.ts'

export interface ArtifactAnswer {
  readonly id: string
  readonly url: string
  readonly mimeType: string
  readonly sizeBytes: number
  readonly job: { readonly id: string } | null
}
export interface TensorAnswer {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly values: unknown
  readonly artifact: ArtifactAnswer | null
}
export interface EndedJob {
  readonly id: string
  readonly state: string
  readonly request: Readonly<Record<string, unknown>>
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | null
  readonly output: {
    readonly __typename: string
    readonly tensors?: readonly TensorAnswer[]
    readonly labels?: readonly { readonly label: string; readonly score: number }[]
    readonly embeddings?: readonly (readonly number[])[] | null
    readonly count?: number
    readonly artifact?: ArtifactAnswer | null
    readonly values?: unknown
    readonly artifacts?: readonly ArtifactAnswer[]
  } | null
}

const artifactFields = 'id url mimeType sizeBytes job { id }'
const jobQuery = `query ($id: ID!) { job(id: $id) { id state request error { code message retryable } output { __typename
  ... on TensorsOutput { tensors { name dtype shape values artifact { ${artifactFields} } } }
  ... on ClassificationOutput { labels { label score } }
  ... on EmbeddingsOutput { embeddings count artifact { ${artifactFields} } }
  ... on ProgramOutput { values artifacts { ${artifactFields} } } } } }`

/** The job as it is once it has ended. */
export async function ended(hearth: Hearth, id: string): Promise<EndedJob> {
  await watch(hearth, id).final()
  const { job } = await hearth.ask<{ job: EndedJob }>(jobQuery, { id })
  return job
}

export async function run(hearth: Hearth, input: JobInput): Promise<EndedJob> {
  return ended(hearth, await submit(hearth, input))
}

/** The tensors of a job that succeeds. */
export async function infer(
  hearth: Hearth,
  model: string,
  tensors: readonly object[],
  outputs?: readonly string[],
): Promise<readonly TensorAnswer[]> {
  const { output, error } = await run(hearth, { model, task: { infer: { tensors, ...(outputs ? { outputs } : {}) } } })
  if (!output?.tensors) throw new Error(`The job gave no tensors: ${JSON.stringify(error)}`)
  return output.tensors
}

export async function download({ url }: ArtifactAnswer): Promise<Buffer> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`The artifact could not be read: ${response.status} ${await response.text()}`)
  return Buffer.from(await response.arrayBuffer())
}
