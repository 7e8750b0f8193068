/** A worker dies and its job must go on: on a spare that is started already, or on a worker that is started for it. */
import { GraphQLSocket } from '../clients/graphql-socket.ts'
import { follow, submit } from '../clients/jobs.ts'
import { noopJob } from '../clients/noop-job.ts'
import { listWorkers } from '../clients/workers.ts'
import type { RunSettings } from '../harness/benchmark.ts'
import { MeasuredServer } from '../harness/server.ts'
import { median } from '../harness/statistics.ts'
import { until } from '../harness/until.ts'
import { type Mechanism, sidesOf } from './mechanism.ts'

const deaths = 3
const readyMsMax = 20_000
/** Long enough to be found running. */
const stepMs = 150
const engine = 'none'

export const warmSpare: Mechanism = {
  name: 'warm-spare',
  naive:
    'a worker is started when a job needs it (HEARTH_WARM_SPARES=0); with the no-op engine, so without the seconds that loading a real one takes.',
  pairs: 3,
  comparisons: [
    {
      key: 'start',
      what: 'from the death of a worker until its job runs again, median of 3 deaths',
      unit: 'ms',
      mustBring: { less: 0.9 },
    },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    const spared = await openServer(opened, settings, 1)
    const unspared = await openServer(opened, settings, 0)
    return sidesOf(opened.move(), {
      with: async () => ({ start: await medianOfDeaths(spared, 2) }),
      without: async () => ({ start: await medianOfDeaths(unspared, 1) }),
    })
  },
}

async function openServer(
  opened: AsyncDisposableStack,
  { profileDir }: RunSettings,
  spares: number,
): Promise<GraphQLSocket> {
  const environment = { HEARTH_WARM_SPARES: String(spares) }
  const server = opened.use(await MeasuredServer.start({ profileDir, environment }))
  const socket = await GraphQLSocket.open(server.url)
  opened.defer(() => socket.close())
  // Loads the model, and with it what stands ready.
  await follow(socket, await submit(socket, noopJob({})), () => {})
  return socket
}

async function medianOfDeaths(socket: GraphQLSocket, workersReady: number): Promise<number> {
  const startsMs: number[] = []
  for (let death = 0; death < deaths; death += 1) {
    await until('workers that are ready', readyMsMax, async () => {
      const ready = (await listWorkers(socket)).filter((worker) => worker.engine === engine && worker.state === 'READY')
      return ready.length >= workersReady ? ready : null
    })
    startsMs.push(await killOnce(socket))
  }
  return median(startsMs)
}

/** Milliseconds from the kill to the start of the job's next attempt. */
async function killOnce(socket: GraphQLSocket): Promise<number> {
  let killedAt = Number.NaN
  let startedAt = Number.NaN
  let last = ''
  const id = await submit(socket, noopJob({ stepMs }))
  const followed = follow(socket, id, ({ __typename }) => {
    last = __typename
    if (__typename === 'JobStarted' && !Number.isNaN(killedAt)) startedAt = performance.now()
  })
  const pid = await until('a worker that runs the job', readyMsMax, async () => {
    const running = (await listWorkers(socket)).find(({ runningJobs }) => runningJobs.some((job) => job.id === id))
    return running?.pid ?? null
  })
  process.kill(pid, 'SIGKILL')
  killedAt = performance.now()
  await followed
  if (last !== 'JobSucceeded' || Number.isNaN(startedAt))
    throw new Error(
      `A job whose worker was killed ended with ${last}, ${Number.isNaN(startedAt) ? 'not ' : ''}started again.`,
    )
  return startedAt - killedAt
}
