/** When a caller sees the first of a result: partial results as they are made, against the whole when it is complete. */
import { GraphQLSocket } from '../clients/graphql-socket.ts'
import { runJob, type SubmitJobInput } from '../clients/jobs.ts'
import { noopJob } from '../clients/noop-job.ts'
import { pictureJob } from '../clients/pictures.ts'
import { workersStarted } from '../clients/workers.ts'
import { MeasuredServer } from '../harness/server.ts'
import { median } from '../harness/statistics.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const itemJobs = 10
const itemCount = 10_000
/** A step makes up to 4,096 items, so there are three. */
const stepMs = 20
const items = noopJob({ items: itemCount, stepMs })
const tokens = 64
const text: SubmitJobInput = {
  model: 'smollm2-135m-instruct',
  task: { generateText: { prompt: 'Tell a story about a lighthouse and the sea.', maxTokens: tokens, temperature: 0 } },
}
const steps = 20
const previews = { everySteps: 5, maxWidth: 64 }

export const partialResults: Mechanism = {
  name: 'partial-results',
  naive: 'a result is sent when it is complete.',
  pairs: 4,
  comparisons: [
    {
      key: 'items',
      what: `first to be seen of ${itemCount.toLocaleString('en')} items, made in ${stepMs} ms for each 4,096`,
      unit: 'ms',
      mustBring: { less: 0.5 },
    },
    { key: 'text', what: `first to be seen of a text of ${tokens} tokens`, unit: 'ms', mustBring: { less: 0.5 } },
    {
      key: 'picture',
      what: `first to be seen of a picture of ${steps} steps, a preview every ${previews.everySteps}`,
      unit: 'ms',
      mustBring: { less: 0.5 },
    },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    // No picture is missing because a checker finds it unsafe.
    const environment = { HEARTH_SAFETY_POLICY: 'flag' }
    const server = opened.use(await MeasuredServer.start({ profileDir: settings.profileDir, environment }))
    const socket = await GraphQLSocket.open(server.url)
    opened.defer(() => socket.close())
    await workersStarted(socket)
    // Loads the models.
    await measure(socket, seenFirst)
    return sidesOf(opened.move(), {
      with: () => measure(socket, seenFirst),
      without: () => measure(socket, seenWhole),
    })
  },
}

/** No picture is made twice: what its check found would be remembered. */
let lastSeed = 0

const parts: ReadonlySet<string> = new Set(['PartialResult', 'TextDelta', 'PreviewReady'])

type Seen = (socket: GraphQLSocket, input: SubmitJobInput) => Promise<number>

async function measure(socket: GraphQLSocket, seen: Seen): Promise<Values> {
  const ofItems: number[] = []
  for (let job = 0; job < itemJobs; job += 1) ofItems.push(await seen(socket, items))
  const picture = pictureJob({ steps, seed: (lastSeed += 1), previews })
  return { items: median(ofItems), text: await seen(socket, text), picture: await seen(socket, picture) }
}

/** Milliseconds from the submission to the first partial result. The job is followed to its end all the same. */
async function seenFirst(socket: GraphQLSocket, input: SubmitJobInput): Promise<number> {
  const startedAt = performance.now()
  let firstMs = Number.NaN
  await runJob(socket, input, ({ __typename }) => {
    if (parts.has(__typename) && Number.isNaN(firstMs)) firstMs = performance.now() - startedAt
  })
  return firstMs
}

async function seenWhole(socket: GraphQLSocket, input: SubmitJobInput): Promise<number> {
  const startedAt = performance.now()
  await runJob(socket, input)
  return performance.now() - startedAt
}
