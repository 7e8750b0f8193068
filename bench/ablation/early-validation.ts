/** Wrong requests: refused before the queue, or queued, run and failed by the program in the worker that finds out. */
import { GraphQLSocket } from '../clients/graphql-socket.ts'
import { follow, runJob, type SubmitJobInput, submit } from '../clients/jobs.ts'
import { noopJob } from '../clients/noop-job.ts'
import { workersStarted } from '../clients/workers.ts'
import type { RunSettings } from '../harness/benchmark.ts'
import { p50, warmLoop } from '../harness/loops.ts'
import { closedLoop } from '../harness/rounds.ts'
import { MeasuredServer } from '../harness/server.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const clients = 32
const latencyMs = 800
const mixedMs = 1500
/** One request of so many is right. */
const oneRightOf = 5

/** No text is there to embed: told at once, and the encoder is not even loaded. */
const wrongBeforeTheQueue: SubmitJobInput = { model: 'all-minilm-l6-v2', task: { embedText: { texts: [''] } } }
/** The parameters of a program are its own affair: only the worker knows their types. */
const wrongInTheWorker: SubmitJobInput = {
  model: 'noop',
  task: { program: { name: 'noop', parameters: { steps: 'three' } } },
}

export const earlyValidation: Mechanism = {
  name: 'early-validation',
  naive: 'a request goes through the queue to the worker, whose program checks it and fails the job.',
  pairs: 4,
  comparisons: [
    {
      key: 'latency',
      what: 'until a caller knows that a request is wrong, p50',
      unit: 'ms',
      mustBring: { less: 0.8 },
    },
    {
      key: 'rate',
      what: `right jobs done while ${oneRightOf - 1} of ${oneRightOf} requests are wrong, ${clients} clients`,
      unit: 'jobs/s',
      mustBring: { more: 1.5 },
    },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    const server = opened.use(await MeasuredServer.start({ profileDir: settings.profileDir }))
    const socket = await GraphQLSocket.open(server.url)
    opened.defer(() => socket.close())
    await workersStarted(socket)
    return sidesOf(opened.move(), {
      with: () => measure(settings, socket, () => refused(socket)),
      without: () => measure(settings, socket, () => failed(socket)),
    })
  },
}

async function measure(settings: RunSettings, socket: GraphQLSocket, wrong: () => Promise<void>): Promise<Values> {
  const alone = await warmLoop(settings, 1, latencyMs, wrong)
  let asked = 0
  let right = 0
  const mixed = async () => {
    asked += 1
    if (asked % oneRightOf !== 0) return wrong()
    await runJob(socket, noopJob({ value: asked }))
    right += 1
  }
  const durationMs = settings.isQuick ? mixedMs / 2 : mixedMs
  const startedAt = performance.now()
  await closedLoop(clients, durationMs, mixed)
  return { latency: p50(alone), rate: (right / (performance.now() - startedAt)) * 1000 }
}

async function refused(socket: GraphQLSocket): Promise<void> {
  const accepted = await submit(socket, wrongBeforeTheQueue).catch(() => null)
  if (accepted !== null) throw new Error('A wrong request was accepted.')
}

async function failed(socket: GraphQLSocket): Promise<void> {
  let last = ''
  await follow(socket, await submit(socket, wrongInTheWorker), ({ __typename }) => (last = __typename))
  if (last !== 'JobFailed') throw new Error(`A wrong request ended with ${last}.`)
}
