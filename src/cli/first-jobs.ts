/** One real job of each starter model, over the public API: what a newcomer sees first. */
import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import {
  imagesOf,
  type JobEvent,
  type JobView,
  labelsView,
  linksView,
  pictureView,
  type Terminal,
  textView,
  vectorsView,
} from './job-views.ts'

const giveUpMs = 120_000

interface FirstJob {
  readonly model: string
  readonly title: string
  /** Of SubmitJobInput, beside the model. `picture`: the artifact that the jobs before have made; null = none, and what needs one is left out. */
  readonly input: (picture: string | null) => Readonly<Record<string, unknown>> | null
  readonly view: (terminal: Terminal) => JobView
}

const sentences = [
  'A man is eating food.',
  'A man is eating a piece of bread.',
  'Two men pushed carts through the woods.',
] as const

/** Eight by eight pixels: a meadow, the sky and the sun. */
const meadow =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIAgMAAAC5YVYYAAAACVBMVEX63FBaoOY8jDxJ0jf3AAAAH0lEQVR42gXBAREAIAwAIfxbBKutfwFDCGflRW7MivgdvQG8bpX4ZwAAAABJRU5ErkJggg=='

const apple = 'noto red apple on a blue background'

const firstJobs: readonly FirstJob[] = [
  {
    model: 'smollm2-135m-instruct',
    title: 'writes a text: "Name three colours of the rainbow."',
    input: () => ({ task: { generateText: { prompt: 'Name three colours of the rainbow.', maxTokens: 60, seed: 1 } } }),
    view: textView,
  },
  {
    model: 'ember',
    title: `makes a picture: "${apple}"`,
    input: () => ({ previews: { everySteps: 3 }, task: { textToImage: { prompt: apple, seed: 7 } } }),
    view: pictureView,
  },
  {
    model: 'ember-upscaler',
    title: 'makes that picture twice as large',
    input: (picture) =>
      picture === null ? null : { task: { upscaleImage: { image: { artifactId: picture }, factor: 2 } } },
    view: linksView,
  },
  {
    model: 'all-minilm-l6-v2',
    title: `compares sentences with "${sentences[0]}"`,
    input: () => ({ task: { embedText: { texts: sentences } } }),
    view: (terminal) => vectorsView(terminal, sentences),
  },
  {
    model: 'open-nsfw',
    title: 'looks at a picture of a meadow: is it safe for work?',
    input: () => ({ task: { classifyImage: { image: { dataUrl: meadow } } } }),
    view: labelsView,
  },
]

const submit = `mutation First($input: SubmitJobInput!) { submitJob(input: $input) { __typename ... on SubmitJobSuccess { job { id } } ... on Error { message } } }`
const watch = `subscription First($id: ID!) { jobEvents(id: $id) { __typename
  ... on TextDelta { text }
  ... on StepCompleted { step totalSteps }
  ... on PreviewReady { image { url mimeType } }
  ... on JobSucceeded { output {
    ... on TextOutput { completionTokens } ... on EmbeddingsOutput { embeddings } ... on ClassificationOutput { labels { label score } }
    ... on ImagesOutput { images { image { id url mimeType } } } } job { timings { totalMs } } }
  ... on JobFailed { error { message } } ... on JobCancelled { message } } }`

/** A job that cannot run is told, and does not keep the server from being used. */
export async function runFirstJobs(url: string, terminal: Terminal): Promise<void> {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
  })
  try {
    let picture: string | null = null
    for (const job of firstJobs) picture = (await runFirstJob(client, job, picture, terminal)) ?? picture
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    terminal.print(`\n  The first jobs could not be run: ${words}\n`)
  } finally {
    await client.dispose()
  }
}

/** The artifact of the picture that it has made, if any. */
async function runFirstJob(
  client: Client,
  job: FirstJob,
  picture: string | null,
  terminal: Terminal,
): Promise<string | null> {
  const { print } = terminal
  const input = job.input(picture)
  if (!input) return null
  print(`\n  ${job.model} ${job.title}`)
  const submitted = await firstResult(client, submit, { input: { model: job.model, ...input } })
  const result = submitted['submitJob'] as { readonly job?: { readonly id: string }; readonly message?: string }
  if (!result.job) {
    print(`\n    not accepted: ${result.message}\n`)
    return null
  }
  const giveUp = AbortSignal.timeout(giveUpMs)
  const events = client.iterate<{ jobEvents: JobEvent }>({ query: watch, variables: { id: result.job.id } })
  giveUp.addEventListener('abort', () => void events.return?.())
  const view = job.view(terminal)
  let made: string | null = null
  for await (const { data, errors } of events) {
    if (errors) throw new Error(errors.map(({ message }) => message).join('; '))
    if (!data) continue
    await view(data.jobEvents)
    print(endOf(data.jobEvents))
    made ??= pictureOf(data.jobEvents)
  }
  if (giveUp.aborted) print(`\n    not done after ${giveUpMs / 1000} s; it goes on in the background.\n`)
  return made
}

function pictureOf(event: JobEvent): string | null {
  const isPictures = event.__typename === 'JobSucceeded' && 'images' in (event['output'] as object)
  return isPictures ? (imagesOf(event)[0]?.id ?? null) : null
}

/** What closes the job's lines; nothing for events that close none. */
function endOf(event: JobEvent): string {
  switch (event.__typename) {
    case 'JobSucceeded': {
      const { timings } = event['job'] as { readonly timings: { readonly totalMs: number } }
      return `\n    (${(timings.totalMs / 1000).toFixed(2)} s)\n`
    }
    case 'JobFailed':
      return `\n    failed: ${(event['error'] as { readonly message: string }).message}\n`
    case 'JobCancelled':
      return `\n    ${String(event['message'])}\n`
    default:
      return ''
  }
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
