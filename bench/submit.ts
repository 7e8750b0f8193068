/**
 * How fast work is accepted: each submission durable and known to the scheduler before its answer, none of it run meanwhile.
 *
 * The worker is kept busy by one full batch of jobs that were submitted first and last longer than the measurement, at a few steps
 * a second. A full batch is never broken up by newcomers, so every measured job waits in the queue, which therefore grows all
 * the time; at the end the queue itself is asked how many jobs it holds. Each round has a server and a data folder of its own.
 */
import { GraphQLSocket } from './clients/graphql-socket.ts'
import { HttpConnection } from './clients/http-connection.ts'
import { submit, submitMany } from './clients/jobs.ts'
import { noopJob } from './clients/noop-job.ts'
import { operation } from './clients/operation.ts'
import { workersStarted } from './clients/workers.ts'
import { type Benchmark, type Figure, figure, type RunSettings } from './harness/benchmark.ts'
import { describeLoad, LoadWatch } from './harness/load-watch.ts'
import { closedLoop, type LoopResult, measureSeries, pick, plan } from './harness/rounds.ts'
import { MeasuredServer } from './harness/server.ts'
import { quantile } from './harness/statistics.ts'

const clients = 64
const unitClients = 4
/** The no-op model's batch limit (bench/models/noop), and as much again that the scheduler admits ahead of need. */
const blockingJobs = 128
const blockingSteps = 150
const blockingStepMs = 400
const singleMs = 3000
/** Bounds the queue below its limit of 100,000 jobs, however fast the server is. */
const jobsPerUnitRoundMax = 60_000
const warmUpMs = 1000

export const submitBenchmark: Benchmark = {
  name: 'submit',
  about:
    'Submissions acknowledged as durable, scheduler included; the worker is busy with a full batch of older jobs, so the queue only grows.',
  placement: 'server and worker on core 0, generator on core 1',
  generatorCore: 1,
  peers: [],
  run: measureSubmissions,
}

async function measureSubmissions(settings: RunSettings): Promise<readonly Figure[]> {
  const rounds = await measureSeries(plan(settings, { series: 2, roundsPerSeries: 3 }), async () => ({
    single: await onFreshServer(settings, `submitJob, ${clients} clients over HTTP`, submitOneByOne),
    hundreds: await onFreshServer(settings, 'submitJobs, units of 100', (url) => submitInUnits(url, 100)),
    thousands: await onFreshServer(settings, 'submitJobs, units of 1,000', (url) => submitInUnits(url, 1000)),
  }))
  const units = `${unitClients} clients over HTTP`
  return [
    figure(
      {
        id: 'submit.single',
        what: `submitJob, ${clients} keep-alive clients over HTTP`,
        unit: 'jobs/s',
        better: 'higher',
        goal: { atLeast: 4000 },
      },
      pick(rounds, ({ single }) => single.perSecond),
    ),
    figure(
      { id: 'submit.single.p99', what: 'submitJob, p99', unit: 'ms', better: 'lower' },
      pick(rounds, ({ single }) => quantile(single.latenciesMs, 0.99)),
    ),
    figure(
      {
        id: 'submit.units100',
        what: `submitJobs in units of 100, ${units}`,
        unit: 'jobs/s',
        better: 'higher',
        goal: { atLeast: 20_000 },
      },
      pick(rounds, ({ hundreds }) => hundreds.perSecond),
    ),
    figure(
      {
        id: 'submit.units1000',
        what: `submitJobs in units of 1,000, ${units}`,
        unit: 'jobs/s',
        better: 'higher',
        goal: { atLeast: 20_000 },
      },
      pick(rounds, ({ thousands }) => thousands.perSecond),
    ),
  ]
}

type Measure = (url: string) => Promise<Submissions>

function onFreshServer(settings: RunSettings, what: string, measure: Measure): Promise<LoopResult> {
  return settings.quiet.round(() => measureAndCheck(settings, what, measure))
}

/** Measures, then asks the queue whether it holds what was acknowledged. */
async function measureAndCheck(settings: RunSettings, what: string, measure: Measure): Promise<LoopResult> {
  await using server = await MeasuredServer.start({ profileDir: settings.profileDir })
  const socket = await GraphQLSocket.open(server.url)
  await workersStarted(socket)
  await submitMany(
    socket,
    Array.from({ length: blockingJobs }, () => noopJob({ steps: blockingSteps, stepMs: blockingStepMs })),
  )
  const watch = new LoadWatch(server.pid)
  const { acknowledged, ...result } = await measure(server.url)
  settings.say(`${what}: ${Math.round(result.perSecond)} jobs/s; ${describeLoad(watch.read())}`)
  const waiting = await queuedJobs(socket)
  if (waiting < acknowledged)
    throw new Error(`${acknowledged} jobs were acknowledged behind a full batch, but only ${waiting} wait.`)
  socket.close()
  // Tens of thousands of jobs are left: nothing of them is to be drained.
  await server.kill()
  return result
}

interface Submissions extends LoopResult {
  readonly acknowledged: number
}

async function submitOneByOne(url: string): Promise<Submissions> {
  const connections = Array.from({ length: clients }, () => new HttpConnection(url))
  let acknowledged = 0
  const once = async (client: number) => {
    acknowledged += 1
    await submit(at(connections, client), noopJob({ value: acknowledged }))
  }
  await closedLoop(clients, warmUpMs, once)
  const result = await closedLoop(clients, singleMs, once)
  for (const connection of connections) connection.close()
  return { ...result, acknowledged }
}

async function submitInUnits(url: string, unit: number): Promise<Submissions> {
  const connections = Array.from({ length: unitClients }, () => new HttpConnection(url))
  const inputs = Array.from({ length: unit }, (_, value) => noopJob({ value }))
  let acknowledged = 0
  const once = async (client: number) => {
    const ids = await submitMany(at(connections, client), inputs)
    if (ids.length !== unit) throw new Error(`${unit} jobs were submitted, ${ids.length} acknowledged.`)
    acknowledged += unit
  }
  const warmUpUnits = Math.max(unitClients, 5000 / unit)
  for (let index = 0; index < warmUpUnits; index += 1) await once(index % unitClients)

  const latenciesMs: number[] = []
  const startedAt = performance.now()
  let unitsLeft = jobsPerUnitRoundMax / unit
  const loop = async (client: number) => {
    while (unitsLeft > 0) {
      unitsLeft -= 1
      const begunAt = performance.now()
      await once(client)
      latenciesMs.push(performance.now() - begunAt)
    }
  }
  await Promise.all(connections.map((_, client) => loop(client)))
  const seconds = (performance.now() - startedAt) / 1000
  for (const connection of connections) connection.close()
  return { perSecond: (latenciesMs.length * unit) / seconds, latenciesMs, acknowledged }
}

const queue = operation('{ queue { lanes { queued } } }')

async function queuedJobs(socket: GraphQLSocket): Promise<number> {
  const answer = (await socket.ask(queue, {})) as {
    readonly queue: { readonly lanes: readonly { readonly queued: number }[] }
  }
  return answer.queue.lanes.reduce((sum, { queued }) => sum + queued, 0)
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new RangeError(`There are ${items.length} items, none at ${index}.`)
  return item
}
