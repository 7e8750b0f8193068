/** All of it against none of it: texts of several callers embedded by Hearth, and by the naive design with the same model and tokeniser. */
import { fileURLToPath } from 'node:url'
import { GraphQLSocket } from '../clients/graphql-socket.ts'
import { runJob } from '../clients/jobs.ts'
import { workersStarted } from '../clients/workers.ts'
import { p50, warmLoop } from '../harness/loops.ts'
import { closedLoop, type LoopResult } from '../harness/rounds.ts'
import { MeasuredServer } from '../harness/server.ts'
import { NaiveDesign } from '../naive/naive-design.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const model = 'all-minilm-l6-v2'
const modelFolder = fileURLToPath(new URL(`../../models/${model}`, import.meta.url))
const clients = 8
const dimensions = 384
const text = Array.from({ length: 30 }, () => 'water').join(' ')
const withMs = 3000
const warmUpMs = 1500
/** Each caller of the naive design asks once: that takes seconds. */
const naiveTexts = clients

export const everything: Mechanism = {
  name: 'everything',
  naive:
    'a process for each operation, JSON with base64, no batches, no cache, nothing durable, one request at a time.',
  pairs: 3,
  comparisons: [
    {
      key: 'latency',
      what: `a text of 32 tokens embedded, ${clients} callers, p50`,
      unit: 'ms',
      mustBring: { less: 0.5 },
    },
    { key: 'rate', what: 'the same', unit: 'texts/s', mustBring: { more: 2 } },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    const naive = opened.use(new NaiveDesign(modelFolder))
    const server = opened.use(await MeasuredServer.start({ profileDir: settings.profileDir }))
    const socket = await GraphQLSocket.open(server.url)
    opened.defer(() => socket.close())
    await workersStarted(socket)
    const ask = async () => void (await runJob(socket, { model, task: { embedText: { texts: [text] } } }))
    await closedLoop(clients, warmUpMs, ask) // loads the model
    return sidesOf(opened.move(), {
      with: async () => valuesOf(await warmLoop(settings, clients, withMs, ask)),
      without: async () => valuesOf(await embedNaively(naive)),
    })
  },
}

function valuesOf(loop: LoopResult): Values {
  return { latency: p50(loop), rate: loop.perSecond }
}

async function embedNaively(naive: NaiveDesign): Promise<LoopResult> {
  const startedAt = performance.now()
  const once = async () => {
    const vector = await naive.embed(text)
    if (vector.length !== dimensions) throw new Error(`A vector has ${vector.length} numbers.`)
    return performance.now() - startedAt
  }
  const latenciesMs = await Promise.all(Array.from({ length: naiveTexts }, once))
  return { perSecond: (naiveTexts / (performance.now() - startedAt)) * 1000, latenciesMs }
}
