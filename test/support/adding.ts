/** Jobs of the models that `addingModel` writes: what they were given and gave, and on which version. */
import type { Hearth } from './hearth.ts'
import type { JobFailure } from './job-log.ts'
import { submit, trySubmit } from './submissions.ts'
import { until } from './until.ts'

export interface AddingResult {
  readonly state: string
  /** y - x: the constant of the content that ran. Null when it gave nothing. */
  readonly constant: number | null
  /** Of `modelVersion`. */
  readonly sha256: string
  readonly error: JobFailure | null
}

const x = [100, 200]

function request(model: string): { model: string; task: object } {
  return { model, task: { infer: { tensors: [{ name: 'x', dtype: 'float32', shape: [1, 2], values: x }] } } }
}

export function submitAdding(hearth: Hearth, model: string): Promise<string> {
  return submit(hearth, request(model))
}

export function trySubmitAdding(hearth: Hearth, model: string): ReturnType<typeof trySubmit> {
  return trySubmit(hearth, request(model))
}

export async function ended(hearth: Hearth, id: string): Promise<AddingResult> {
  const query = `query ($id: ID!) { job(id: $id) { state modelVersion { sha256 } error { code message retryable }
    output { ... on TensorsOutput { tensors { values } } } } }`
  interface Answer {
    readonly job: {
      readonly state: string
      readonly modelVersion: { readonly sha256: string }
      readonly error: JobFailure | null
      readonly output: { readonly tensors: readonly { readonly values: readonly (readonly number[])[] }[] } | null
    }
  }
  return until('the job has ended', async () => {
    const { job } = await hearth.ask<Answer>(query, { id })
    if (!['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(job.state)) return false
    const row = job.output?.tensors[0]?.values[0]
    const constants = row?.map((y, column) => y - (x[column] ?? 0))
    if (constants && new Set(constants).size !== 1) throw new Error(`A mixture: ${constants.join(', ')}.`)
    return { state: job.state, constant: constants?.[0] ?? null, sha256: job.modelVersion.sha256, error: job.error }
  })
}

export async function adding(hearth: Hearth, model: string): Promise<AddingResult> {
  return ended(hearth, await submitAdding(hearth, model))
}
