/** One job that emits 10,000 items: through worker, log and WebSocket to one client, every item checked, in order. */
import { GraphQLSocket } from './clients/graphql-socket.ts'
import { follow, type JobEvent, submit } from './clients/jobs.ts'
import { noopJob } from './clients/noop-job.ts'
import { workersStarted } from './clients/workers.ts'
import { type Benchmark, type Figure, figure, type RunSettings } from './harness/benchmark.ts'
import { describeLoad, LoadWatch } from './harness/load-watch.ts'
import { measureSeries, pick, plan } from './harness/rounds.ts'
import { MeasuredServer } from './harness/server.ts'
import { streamPeers } from './peers.ts'

const itemCount = 10_000
const warmUpRuns = 10
/** Between runs, so that what the last one left behind (commits, collection) is not charged to the next. */
const pauseMs = 100

export const stream: Benchmark = {
  name: 'stream',
  about: 'A job with 10,000 partial items, from the submission to the last item.',
  placement: 'server and worker on core 0, generator on core 1',
  generatorCore: 1,
  peers: [streamPeers],
  run: measureStream,
}

interface StreamRun {
  readonly itemsPerSecond: number
  readonly firstItemMs: number
  readonly events: number
}

async function measureStream(settings: RunSettings): Promise<readonly Figure[]> {
  await using server = await MeasuredServer.start({ profileDir: settings.profileDir })
  const socket = await GraphQLSocket.open(server.url)
  await workersStarted(socket)
  for (let run = 0; run < warmUpRuns; run += 1) await streamOnce(socket)
  const watch = new LoadWatch(server.pid)
  const runs = await measureSeries(plan(settings, { series: 3, roundsPerSeries: 10 }), async () => {
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    const run = await settings.quiet.round(() => streamOnce(socket))
    settings.say(
      `${Math.round(run.itemsPerSecond)} items/s, first after ${run.firstItemMs.toFixed(1)} ms, ${run.events} events`,
    )
    return run
  })
  settings.say(describeLoad(watch.read()))
  socket.close()

  return [
    figure(
      {
        id: 'stream.rate',
        what: '10,000 items, from the submission to the last item',
        unit: 'items/s',
        better: 'higher',
        goal: { atLeast: 100_000 },
        note: 'Many items share an event, up to 4,096 as the worker filled them; the peers sent one chunk or event per item.',
      },
      pick(runs, ({ itemsPerSecond }) => itemsPerSecond),
    ),
    figure(
      {
        id: 'stream.first',
        what: 'first item, from the submission',
        unit: 'ms',
        better: 'lower',
        goal: { atMost: 10 },
      },
      pick(runs, ({ firstItemMs }) => firstItemMs),
    ),
    figure(
      { id: 'stream.events', what: 'events that carried the 10,000 items', unit: 'events', better: 'lower' },
      pick(runs, ({ events }) => events),
    ),
  ]
}

async function streamOnce(socket: GraphQLSocket): Promise<StreamRun> {
  const startedAt = performance.now()
  let firstAt = Number.NaN
  let lastAt = Number.NaN
  let events = 0
  const items: unknown[] = []
  const take = ({ __typename, values, error }: JobEvent) => {
    if (__typename === 'JobFailed') throw new Error(`The job failed: ${error?.message}`)
    if (__typename !== 'PartialResult' || values === undefined) return
    lastAt = performance.now()
    if (items.length === 0) firstAt = lastAt
    events += 1
    items.push(...values)
  }
  await follow(socket, await submit(socket, noopJob({ items: itemCount })), take)
  checkOrder(items)
  return { itemsPerSecond: (itemCount / (lastAt - startedAt)) * 1000, firstItemMs: firstAt - startedAt, events }
}

function checkOrder(items: readonly unknown[]): void {
  if (items.length !== itemCount) throw new Error(`${itemCount} items were asked for, ${items.length} came.`)
  const wrong = items.findIndex((item, index) => item !== index)
  if (wrong >= 0) throw new Error(`Item ${wrong} is ${JSON.stringify(items[wrong])}.`)
}
