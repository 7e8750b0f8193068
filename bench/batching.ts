/** Dynamic batching without a wait to tune: a model whose step costs 1 ms + 1 ms for each state, asked by 100 clients at once. */
import { GraphQLSocket } from './clients/graphql-socket.ts'
import { runJob } from './clients/jobs.ts'
import { noopJob } from './clients/noop-job.ts'
import { workersStarted } from './clients/workers.ts'
import { type Benchmark, type Figure, figure, type RunSettings } from './harness/benchmark.ts'
import { closedLoop, measureSeries, pick, plan } from './harness/rounds.ts'
import { MeasuredServer } from './harness/server.ts'
import { quantile } from './harness/statistics.ts'
import { batchingPeers } from './peers.ts'

const clients = 100
const warmUpMs = 1500
const roundMs = 4000
const cost = { stepMs: 1, stepMsEach: 1 }
/** What such a model could do with batches of any size and no cost around them. */
const ceilingPerSecond = 1000

export const batching: Benchmark = {
  name: 'batching',
  about:
    'A model that costs 1 ms + 1 ms x batch (it sleeps), asked by 100 clients in a closed loop; results as jobEvents.',
  placement: 'server and worker on core 0, generator on core 1',
  generatorCore: 1,
  peers: [batchingPeers],
  run: measureBatching,
}

async function measureBatching(settings: RunSettings): Promise<readonly Figure[]> {
  await using server = await MeasuredServer.start({ profileDir: settings.profileDir })
  const socket = await GraphQLSocket.open(server.url)
  await workersStarted(socket)
  const loop = (durationMs: number) => closedLoop(clients, durationMs, async () => void (await runJob(socket, job)))
  await loop(warmUpMs)
  const rounds = await measureSeries(plan(settings, { series: 2, roundsPerSeries: 3 }), async () => {
    const round = await settings.quiet.round(() => loop(roundMs))
    settings.say(`${Math.round(round.perSecond)}/s, p95 ${quantile(round.latenciesMs, 0.95).toFixed(0)} ms`)
    return round
  })
  socket.close()
  return [
    figure(
      {
        id: 'batching.share',
        what: `of the ${ceilingPerSecond}/s that such a model could do at most`,
        unit: 'ratio',
        better: 'higher',
        goal: { atLeast: 0.95 },
        note: 'Batches of 64, the limit of this model, would reach 0.985.',
      },
      pick(rounds, ({ perSecond }) => perSecond / ceilingPerSecond),
    ),
    figure(
      {
        id: 'batching.p95',
        what: 'from the submission to the result, p95',
        unit: 'ms',
        better: 'lower',
        goal: { atMost: 115 },
      },
      pick(rounds, ({ latenciesMs }) => quantile(latenciesMs, 0.95)),
    ),
    figure(
      { id: 'batching.p50', what: 'from the submission to the result, p50', unit: 'ms', better: 'lower' },
      pick(rounds, ({ latenciesMs }) => quantile(latenciesMs, 0.5)),
    ),
  ]
}

const job = noopJob(cost)
