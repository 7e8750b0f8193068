/** Uploading as a client does it, and what became of jobs that work on files. */
import type { Hearth } from './hearth.ts'
import { isFinal, watch } from './job-log.ts'
import { type JobInput, submit } from './submissions.ts'

export interface EndedJob {
  readonly state: string
  readonly output: Readonly<Record<string, never>> | null
  readonly error: { readonly code: string; readonly message: string } | null
}

/** The id of the artifact. */
export async function upload(hearth: Hearth, content: Uint8Array, mimeType: string): Promise<string> {
  const response = await fetch(new URL('/uploads', hearth.url), {
    method: 'PUT',
    headers: { 'content-type': mimeType },
    body: Buffer.from(content),
  })
  const answer = (await response.json()) as { readonly id?: string }
  if (answer.id === undefined) throw new Error(`Not uploaded (${response.status}): ${JSON.stringify(answer)}`)
  return answer.id
}

/** Submits a job and waits for its end; `output` selects fields of its output. */
export async function runJob(hearth: Hearth, input: JobInput, output: string): Promise<EndedJob> {
  const id = await submit(hearth, input)
  await watch(hearth, id).reaches('its end', isFinal, 60_000)
  const { job } = await hearth.ask<{ job: EndedJob }>(
    `query ($id: ID!) { job(id: $id) { state error { code message } output { ${output} } } }`,
    { id },
  )
  return job
}
