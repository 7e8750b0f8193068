/**
 * What saturating batch work costs interactive jobs, and what is left of it: the same arrivals of interactive jobs with and without it, in turn, and
 * batch work alone. Interactive jobs come at random times of a seed, whatever the server does (an open loop), so that a slow one delays nobody's coming.
 */
import { GraphQLSocket } from '../clients/graphql-socket.ts'
import { runJob, type SubmitJobInput } from '../clients/jobs.ts'
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { measureSeries, pick, plan } from '../harness/rounds.ts'
import { quantile } from '../harness/statistics.ts'
import { draws, embedding, picture } from './drawn-jobs.ts'
import { SmallDevices } from './small-devices.ts'

const roundMs = 25_000
const quickRoundMs = 4_000
const deviceCount = 2
/** Batch jobs that wait or run at any time: more than both devices ever take. */
const batchClients = 12

interface Pair {
  readonly id: string
  readonly what: string
  readonly perSecond: number
  readonly interactive: (draw: () => number) => SubmitJobInput
  readonly batch: (draw: () => number) => SubmitJobInput
}

const pairs: readonly Pair[] = [
  {
    id: 'embed',
    what: 'embedText with pictures as batch work',
    perSecond: 10,
    interactive: () => embedding('all-minilm-l6-v2'),
    batch: (draw) => picture('ember', 6, draw),
  },
  {
    id: 'picture',
    what: 'textToImage with embeddings as batch work',
    perSecond: 0.7,
    interactive: (draw) => picture('ember', 3, draw),
    batch: () => embedding('all-minilm-l6-v2', 32),
  },
]

export async function measureInterference(settings: RunSettings): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const pair of pairs) figures.push(...(await measurePair(settings, pair)))
  return figures
}

interface Round {
  readonly aloneMs: readonly number[]
  readonly besideMs: readonly number[]
  readonly slowdownP50: number
  readonly batchKept: number
}

async function measurePair(settings: RunSettings, pair: Pair): Promise<readonly Figure[]> {
  await using devices = await SmallDevices.start()
  const socket = await GraphQLSocket.open(devices.server.url)
  const draw = draws(3)
  for (let count = 0; count < 4; count += 1) await runBoth(socket, pair, draw) // loads the models
  const measure = async (round: number): Promise<Round> => {
    const alone = await serve(settings, socket, pair, round, { interactive: true, batch: false })
    const both = await serve(settings, socket, pair, round, { interactive: true, batch: true })
    const batch = await serve(settings, socket, pair, round, { interactive: false, batch: true })
    const idleShare = 1 - alone.busyShare
    const result = {
      aloneMs: alone.latenciesMs,
      besideMs: both.latenciesMs,
      slowdownP50: quantile(both.latenciesMs, 0.5) / quantile(alone.latenciesMs, 0.5),
      batchKept: both.batchPerSecond / (batch.batchPerSecond * idleShare),
    }
    settings.say(
      `${pair.what}: p99 ${quantile(alone.latenciesMs, 0.99).toFixed(0)} ms alone, ${quantile(both.latenciesMs, 0.99).toFixed(0)} ms with batch; ` +
        `batch ${both.batchPerSecond.toFixed(1)} of ${batch.batchPerSecond.toFixed(1)}/s, ${(100 * idleShare).toFixed(0)} % of the time idle`,
    )
    return result
  }
  const rounds = await measureSeries(plan(settings, { series: 1, roundsPerSeries: 2 }), measure)
  socket.close()
  const id = `contention.${pair.id}`
  return [
    figure(
      {
        id: `${id}.p99`,
        what: `${pair.what}: p99 with / without, over all rounds`,
        unit: 'x',
        better: 'lower',
        goal: { atMost: 1.1 },
      },
      [[slowestOf(rounds, ({ besideMs }) => besideMs) / slowestOf(rounds, ({ aloneMs }) => aloneMs)]],
    ),
    figure(
      { id: `${id}.p50`, what: `${pair.what}: median with / without`, unit: 'x', better: 'lower' },
      pick(rounds, ({ slowdownP50 }) => slowdownP50),
    ),
    figure(
      {
        id: `${id}.batch-kept`,
        what: `${pair.what}: batch work / what would fit into the idle time`,
        unit: '',
        better: 'higher',
        goal: { atLeast: 0.9 },
      },
      pick(rounds, ({ batchKept }) => batchKept),
    ),
  ]
}

/** A round has few of the longer jobs: their 99th percentile is one of all rounds together. */
function slowestOf(rounds: readonly (readonly Round[])[], latenciesOf: (round: Round) => readonly number[]): number {
  return quantile(rounds.flat().flatMap(latenciesOf), 0.99)
}

async function runBoth(socket: GraphQLSocket, { interactive, batch }: Pair, draw: () => number): Promise<void> {
  await Promise.all([runJob(socket, interactive(draw)), runJob(socket, { ...batch(draw), priorityClass: 'BATCH' })])
}

interface Span {
  readonly from: number
  readonly to: number
}

interface Served {
  readonly latenciesMs: readonly number[]
  readonly batchPerSecond: number
  /** Of both devices, by interactive jobs, where nobody else was there: one device for each job that is under way. */
  readonly busyShare: number
}

async function serve(
  { isQuick }: RunSettings,
  socket: GraphQLSocket,
  pair: Pair,
  round: number,
  kinds: { readonly interactive: boolean; readonly batch: boolean },
): Promise<Served> {
  const lastsMs = isQuick ? quickRoundMs : roundMs
  const startedAt = performance.now()
  const endsAt = startedAt + lastsMs
  const spans: Span[] = []
  let batchDone = 0
  const draw = draws(100 + round)
  const batchDraw = draws(200 + round)
  const batchLoop = async () => {
    while (performance.now() < endsAt) {
      await runJob(socket, { ...pair.batch(batchDraw), priorityClass: 'BATCH' })
      if (performance.now() <= endsAt) batchDone += 1
    }
  }
  const one = async (input: SubmitJobInput) => {
    const begunAt = performance.now()
    await runJob(socket, input)
    spans.push({ from: begunAt, to: performance.now() })
  }
  const arrivals = async () => {
    const open: Promise<void>[] = []
    for (let at = startedAt + gapMs(pair, draw); at < endsAt; at += gapMs(pair, draw)) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())))
      open.push(one(pair.interactive(draw)))
    }
    await Promise.all(open)
  }
  await Promise.all([
    ...(kinds.interactive ? [arrivals()] : []),
    ...(kinds.batch ? Array.from({ length: batchClients }, batchLoop) : []),
  ])
  return {
    latenciesMs: spans.map(({ from, to }) => to - from),
    batchPerSecond: (batchDone / lastsMs) * 1000,
    busyShare: kinds.batch ? Number.NaN : busyMs(spans) / (deviceCount * lastsMs),
  }
}

/** Jobs beyond the number of devices wait, and make nothing busier. */
function busyMs(spans: readonly Span[]): number {
  const edges = spans
    .flatMap(({ from, to }) => [
      { at: from, by: 1 },
      { at: to, by: -1 },
    ])
    .sort((a, b) => a.at - b.at)
  let busy = 0
  let open = 0
  let last = 0
  for (const { at, by } of edges) {
    busy += Math.min(open, deviceCount) * (at - last)
    open += by
    last = at
  }
  return busy
}

/** Exponential, so that some come at the same time. */
function gapMs({ perSecond }: Pair, draw: () => number): number {
  return (-Math.log(1 - draw()) * 1000) / perSecond
}
