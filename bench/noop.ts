/** What Hearth itself costs: jobs that do nothing, each submitted, acknowledged as durable, run by a worker, its result received. */
import { GraphQLSocket } from './clients/graphql-socket.ts'
import { HttpConnection } from './clients/http-connection.ts'
import { JobChanges } from './clients/job-changes.ts'
import { runJob } from './clients/jobs.ts'
import { noopJob } from './clients/noop-job.ts'
import { workersStarted } from './clients/workers.ts'
import { type Benchmark, type Figure, figure, type RunSettings } from './harness/benchmark.ts'
import { describeLoad, LoadWatch } from './harness/load-watch.ts'
import { closedLoop, type LoopResult, measureSeries, pick, plan } from './harness/rounds.ts'
import { MeasuredServer } from './harness/server.ts'
import { quantile } from './harness/statistics.ts'
import { noopPeers } from './peers.ts'

const inFlight = 32
const warmUpMs = 1500
const sequentialMs = 1500
const concurrentMs = 3000

export const noop: Benchmark = {
  name: 'noop',
  about: 'A no-op job, submitted and its result received, durable.',
  placement: 'server and worker on core 0, generator on core 1',
  generatorCore: 1,
  peers: [noopPeers],
  run: measureNoop,
}

async function measureNoop(settings: RunSettings): Promise<readonly Figure[]> {
  await using server = await MeasuredServer.start({ profileDir: settings.profileDir })
  const socket = await GraphQLSocket.open(server.url)
  await workersStarted(socket)
  const changes = new JobChanges(await GraphQLSocket.open(server.url))
  const http = Array.from({ length: inFlight }, () => new HttpConnection(server.url))

  const once = async (what: string, clients: number, durationMs: number, run: Run): Promise<Measured> => {
    const watch = new LoadWatch(server.pid)
    const result = await closedLoop(clients, durationMs, numbered(run))
    const load = watch.read()
    const p50 = quantile(result.latenciesMs, 0.5).toFixed(2)
    settings.say(`${what}: ${Math.round(result.perSecond)}/s, p50 ${p50} ms; ${describeLoad(load)}`)
    return { ...result, cpuMsPerJob: ((load.server + load.workers) / result.perSecond) * 1000 }
  }
  const measure: typeof once = (...round) => settings.quiet.round(() => once(...round))
  const overSocket: Run = async (value) => (await runJob(socket, noopJob({ value }))).output?.values
  const overChanges: Run = async (value) => (await changes.run(noopJob({ value }))).output?.values
  const overHttp: Run = async (value, client) =>
    (await runJob(connectionOf(http, client), noopJob({ value }))).output?.values

  for (const run of [overSocket, overChanges, overHttp]) await once('warm-up', inFlight, warmUpMs, run)
  const rounds = await measureSeries(plan(settings, { series: 3, roundsPerSeries: 3 }), async () => ({
    sequential: await measure('sequential', 1, sequentialMs, overSocket),
    concurrent: await measure(`${inFlight} in flight, jobEvents each`, inFlight, concurrentMs, overSocket),
    changes: await measure(`${inFlight} in flight, one jobChanges`, inFlight, concurrentMs, overChanges),
    http: await measure(`${inFlight} in flight, HTTP + SSE`, inFlight, concurrentMs, overHttp),
  }))
  for (const connection of http) connection.close()
  socket.close()

  const latency = (share: number) => pick(rounds, ({ sequential }) => quantile(sequential.latenciesMs, share))
  const sequentially = 'one after another over one WebSocket'
  const together = `${inFlight} in flight over one WebSocket`
  return [
    figure(
      { id: 'noop.sequential.p50', what: `${sequentially}, p50`, unit: 'ms', better: 'lower', goal: { atMost: 2 } },
      latency(0.5),
    ),
    figure({ id: 'noop.sequential.p95', what: `${sequentially}, p95`, unit: 'ms', better: 'lower' }, latency(0.95)),
    figure({ id: 'noop.sequential.p99', what: `${sequentially}, p99`, unit: 'ms', better: 'lower' }, latency(0.99)),
    figure(
      {
        id: 'noop.concurrent.events',
        what: `${together}, each followed by jobEvents`,
        unit: 'jobs/s',
        better: 'higher',
        goal: { atLeast: 3000 },
      },
      pick(rounds, ({ concurrent }) => concurrent.perSecond),
    ),
    figure(
      {
        id: 'noop.concurrent.events.p99',
        what: `${together}, each followed by jobEvents, p99`,
        unit: 'ms',
        better: 'lower',
      },
      pick(rounds, ({ concurrent }) => quantile(concurrent.latenciesMs, 0.99)),
    ),
    figure(
      {
        id: 'noop.concurrent.events.cpu',
        what: `${together}, CPU of server and worker per job`,
        unit: 'ms',
        better: 'lower',
      },
      pick(rounds, ({ concurrent }) => concurrent.cpuMsPerJob),
    ),
    figure(
      {
        id: 'noop.concurrent.changes',
        what: `${together}, results over one jobChanges`,
        unit: 'jobs/s',
        better: 'higher',
        goal: { atLeast: 3000 },
      },
      pick(rounds, (round) => round.changes.perSecond),
    ),
    figure(
      {
        id: 'noop.concurrent.http',
        what: `${inFlight} clients, HTTP mutation, then jobEvents over SSE`,
        unit: 'jobs/s',
        better: 'higher',
      },
      pick(rounds, (round) => round.http.perSecond),
    ),
  ]
}

interface Measured extends LoopResult {
  readonly cpuMsPerJob: number
}

/** Runs one job and gives what came back. */
type Run = (value: number, client: number) => Promise<unknown>

/** Each job with a number of its own, which must come back. */
function numbered(run: Run): (client: number) => Promise<void> {
  let last = 0
  return async (client) => {
    last += 1
    const sent = last
    const received = JSON.stringify(await run(sent, client))
    if (received !== JSON.stringify(sent)) throw new Error(`Sent ${sent}, received ${received}.`)
  }
}

function connectionOf(connections: readonly HttpConnection[], client: number): HttpConnection {
  const connection = connections[client]
  if (connection === undefined) throw new RangeError(`There are ${connections.length} connections, not ${client + 1}.`)
  return connection
}
