/** One real job of each starter model, over the public API: what a newcomer sees first. */
import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

const giveUpMs = 120_000

interface FirstJob {
  readonly model: string
  readonly title: string
  readonly task: Readonly<Record<string, unknown>>
  readonly show: (output: Readonly<Record<string, unknown>>, print: Print) => void
}
/** Takes text as it comes; lines end where it says so. */
type Print = (text: string) => void

const sentences = [
  'A man is eating food.',
  'A man is eating a piece of bread.',
  'Two men pushed carts through the woods.',
] as const

/** Eight by eight pixels: a meadow, the sky and the sun. */
const meadow =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIAgMAAAC5YVYYAAAACVBMVEX63FBaoOY8jDxJ0jf3AAAAH0lEQVR42gXBAREAIAwAIfxbBKutfwFDCGflRW7MivgdvQG8bpX4ZwAAAABJRU5ErkJggg=='

const firstJobs: readonly FirstJob[] = [
  {
    model: 'smollm2-135m-instruct',
    title: 'writes a text: "Name three colours of the rainbow."',
    task: { generateText: { prompt: 'Name three colours of the rainbow.', maxTokens: 60, seed: 1 } },
    show: () => {},
  },
  {
    model: 'all-minilm-l6-v2',
    title: `compares sentences with "${sentences[0]}"`,
    task: { embedText: { texts: sentences } },
    show: ({ embeddings }, print) => {
      const [first = [], ...others] = embeddings as readonly (readonly number[])[]
      for (const [index, other] of others.entries())
        print(`\n    ${dot(first, other).toFixed(4)}  "${sentences[index + 1]}"`)
    },
  },
  {
    model: 'open-nsfw',
    title: 'looks at a picture of a meadow: is it safe for work?',
    task: { classifyImage: { image: { dataUrl: meadow } } },
    show: ({ labels }, print) => {
      for (const { label, score } of labels as readonly { readonly label: string; readonly score: number }[])
        print(`\n    ${score.toFixed(4)}  ${label}`)
    },
  },
]

const submit = `mutation First($input: SubmitJobInput!) { submitJob(input: $input) { __typename ... on SubmitJobSuccess { job { id } } ... on Error { message } } }`
const watch = `subscription First($id: ID!) { jobEvents(id: $id) { __typename
  ... on TextDelta { text }
  ... on JobSucceeded { output { ... on TextOutput { completionTokens } ... on EmbeddingsOutput { embeddings } ... on ClassificationOutput { labels { label score } } } job { timings { totalMs } } }
  ... on JobFailed { error { message } } ... on JobCancelled { message } } }`

/** A job that cannot run is told, and does not keep the server from being used. */
export async function runFirstJobs(url: string, print: Print): Promise<void> {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
  })
  try {
    for (const job of firstJobs) await runFirstJob(client, job, print)
  } catch (error) {
    print(`\n  The first jobs could not be run: ${error instanceof Error ? error.message : String(error)}\n`)
  } finally {
    await client.dispose()
  }
}

async function runFirstJob(client: Client, job: FirstJob, print: Print): Promise<void> {
  print(`\n  ${job.model} ${job.title}`)
  const submitted = await firstResult(client, submit, { input: { model: job.model, task: job.task } })
  const result = submitted['submitJob'] as { readonly job?: { readonly id: string }; readonly message?: string }
  if (!result.job) {
    print(`\n    not accepted: ${result.message}`)
    return
  }
  const giveUp = AbortSignal.timeout(giveUpMs)
  const events = client.iterate<{ jobEvents: Readonly<Record<string, unknown>> }>({
    query: watch,
    variables: { id: result.job.id },
  })
  giveUp.addEventListener('abort', () => void events.return?.())
  let indent = '\n    '
  for await (const { data, errors } of events) {
    if (errors) throw new Error(errors.map(({ message }) => message).join('; '))
    const event = data?.jobEvents
    if (!event) continue
    if (event['__typename'] === 'TextDelta') {
      print(indent + String(event['text']).replaceAll('\n', '\n    '))
      indent = ''
    }
    if (event['__typename'] === 'JobSucceeded') {
      job.show(event['output'] as Readonly<Record<string, unknown>>, print)
      const { timings } = event['job'] as { readonly timings: { readonly totalMs: number } }
      print(`\n    (${(timings.totalMs / 1000).toFixed(2)} s)\n`)
    }
    if (event['__typename'] === 'JobFailed') print(`\n    failed: ${(event['error'] as { message: string }).message}`)
  }
  if (giveUp.aborted) print(`\n    not done after ${giveUpMs / 1000} s; it goes on in the background.`)
}

async function firstResult(
  client: Client,
  query: string,
  variables: Record<string, unknown>,
): Promise<Readonly<Record<string, unknown>>> {
  for await (const { data, errors } of client.iterate<Record<string, unknown>>({ query, variables })) {
    if (data) return data
    throw new Error(errors?.map(({ message }) => message).join('; ') ?? 'The server answered without data.')
  }
  throw new Error('The server did not answer.')
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}
