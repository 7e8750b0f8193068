/**
 * Lets a model write and shows the text as it grows: `node write-text.ts "Name three colours." [http://127.0.0.1:4000/graphql]`.
 * Survives what happens in between, such as a restart of the server: the key makes the same request the same job, and the cursor lets
 * the subscription go on after the last event that was seen. Progress goes to standard error, the text to standard output.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from 'graphql-ws'

const [prompt = 'Name three colours of the rainbow.', url = 'http://127.0.0.1:4000/graphql'] = process.argv.slice(2)
const retryMs = 500

const submit = `mutation ($input: SubmitJobInput!) { submitJob(input: $input) {
  __typename ... on Error { message } ... on OverloadedError { retryAfterMs } } }`
const follow = `subscription ($key: String!, $after: String) { jobEvents(idempotencyKey: $key, after: $after) {
  __typename cursor ... on TextDelta { offset text } ... on JobFailed { error { message } } } }`
type Submitted = { __typename: string; message: string; retryAfterMs?: number }
type JobEvent = { __typename: string; cursor: string; offset: number; text: string; error: { message: string } }

async function submitJob(key: string): Promise<void> {
  const task = { generateText: { prompt, maxTokens: 200 } }
  const variables = { input: { model: 'smollm2-135m-instruct', idempotencyKey: key, task } }
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ query: submit, variables })
  for (;;) {
    const response = await fetch(url, { method: 'POST', headers, body }).catch(() => null)
    const answer = (await response?.json().catch(() => null)) as { data?: { submitJob: Submitted } } | undefined
    const result = answer?.data?.submitJob
    if (result?.__typename === 'SubmitJobSuccess') return
    const isForNow = result?.retryAfterMs !== undefined || !response || response.status >= 500
    if (!isForNow) throw new Error(result?.message ?? JSON.stringify(answer))
    // Refused for now, or nobody knows whether it arrived: sent again with its key, it never makes a second job.
    await delay(result?.retryAfterMs ?? retryMs)
  }
}

async function followJob(key: string): Promise<string> {
  const retryWait = () => delay(retryMs)
  const client = createClient({
    url: url.replace('http', 'ws'),
    retryAttempts: 600,
    shouldRetry: () => true,
    retryWait,
  })
  // The client sends these again after each reconnect, so the cursor is changed in place.
  const variables: { key: string; after?: string } = { key }
  let text = ''
  for await (const { data, errors } of client.iterate<{ jobEvents: JobEvent }>({ query: follow, variables })) {
    if (!data) throw new Error(JSON.stringify(errors))
    const event = data.jobEvents
    variables.after = event.cursor
    if (event.__typename === 'TextDelta') text = text.slice(0, event.offset) + event.text
    console.error(event.__typename === 'TextDelta' ? text : event.__typename)
    if (event.__typename === 'JobFailed') throw new Error(event.error.message)
  }
  await client.dispose()
  return text
}

const key = randomUUID()
await submitJob(key)
console.log(await followJob(key))
