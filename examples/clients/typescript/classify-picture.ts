/**
 * Uploads a picture and prints what a classifier makes of it: `node classify-picture.ts photo.jpg [http://127.0.0.1:4000/graphql] [model]`.
 * Needs nothing but Node. The upload is one PUT; the id it answers with is the input of any number of jobs.
 */
import { openAsBlob } from 'node:fs'
import { extname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const [path = '', url = 'http://127.0.0.1:4000/graphql', model = 'open-nsfw'] = process.argv.slice(2)
const types: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
}

const submit = `mutation ($input: SubmitJobInput!) { submitJob(input: $input) {
  ... on SubmitJobSuccess { job { id } } ... on Error { message } ... on InvalidInputError { fields { path message } } } }`
const read = `query ($id: ID!) { job(id: $id) { state error { message }
  output { ... on ClassificationOutput { labels { label score } } } } }`
type Submitted = { submitJob: { job?: { id: string }; message?: string; fields?: readonly object[] } }
type Read = {
  job: { state: string; error?: { message: string }; output?: { labels: readonly { label: string; score: number }[] } }
}

async function uploadPicture(): Promise<string> {
  const type = types[extname(path).toLowerCase()] ?? 'application/octet-stream'
  // Streamed from the disk, however large it is.
  const body = await openAsBlob(path, { type })
  const response = await fetch(new URL('/uploads', url), { method: 'PUT', headers: { 'content-type': type }, body })
  const { id, errors } = (await response.json()) as { id?: string; errors?: readonly { message: string }[] }
  if (id === undefined) throw new Error(errors?.[0]?.message ?? `The upload was answered with ${response.status}.`)
  return id
}

async function ask<Data>(query: string, variables: object): Promise<Data> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })
  const { data, errors } = (await response.json()) as { data?: Data; errors?: readonly { message: string }[] }
  if (!data || errors) throw new Error(errors?.[0]?.message ?? 'no data')
  return data
}

const task = { classifyImage: { image: { artifactId: await uploadPicture() }, topK: 5 } }
const { submitJob } = await ask<Submitted>(submit, { input: { model, task } })
if (!submitJob.job) throw new Error(`${submitJob.message} ${JSON.stringify(submitJob.fields ?? '')}`)
for (;;) {
  const { job } = await ask<Read>(read, { id: submitJob.job.id })
  if (job.error) throw new Error(job.error.message)
  for (const { label, score } of job.output?.labels ?? []) console.log(`${score.toFixed(4)} ${label}`)
  if (job.state === 'SUCCEEDED' || job.state === 'CANCELLED') break
  // Short enough here; a job that takes longer is better followed, as write-text.ts does it.
  await delay(100)
}
