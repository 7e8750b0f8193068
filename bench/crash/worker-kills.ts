/** 20 clients with jobs of 20 ms; the worker that runs them is killed; every job must end well, and soon. */
import { setTimeout as sleep } from 'node:timers/promises'
import { GraphQLSocket } from '../clients/graphql-socket.ts'
import { follow, type JobEvent, submit } from '../clients/jobs.ts'
import { noopJob } from '../clients/noop-job.ts'
import { listWorkers } from '../clients/workers.ts'
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { measureSeries, pick, plan } from '../harness/rounds.ts'
import { MeasuredServer } from '../harness/server.ts'
import { until } from '../harness/until.ts'
import { audit } from './audit.ts'

const clients = 20
const jobMs = 20
const beforeKillMs = 1000
const afterKillMs = 2500
const drainMsMax = 20_000
const spareMsMax = 10_000
const busyMsMax = 1000

interface WorkerKill {
  readonly lost: number
  /** From the kill to the next result, or longer: the longest silence that followed it. */
  readonly silenceMs: number
}

export async function measureWorkerKills(settings: RunSettings): Promise<readonly Figure[]> {
  await using server = await MeasuredServer.start({ profileDir: settings.profileDir })
  const socket = await GraphQLSocket.open(server.url)
  const kills = await measureSeries(plan(settings, { series: 2, roundsPerSeries: 3 }), async () => {
    const kill = await settings.quiet.round(() => killOnce(server.url, socket))
    settings.say(
      `worker killed with ${clients} jobs in flight: ${kill.lost} lost, silence of ${Math.round(kill.silenceMs)} ms`,
    )
    return kill
  })
  socket.close()
  return [
    figure(
      {
        id: 'crash.worker.lost',
        what: `kill -9 of a worker, ${clients} jobs in flight: lost, or ended otherwise than once and well`,
        unit: 'jobs',
        better: 'lower',
        goal: { atMost: 0 },
      },
      pick(kills, ({ lost }) => lost),
    ),
    figure(
      {
        id: 'crash.worker.silence',
        what: 'kill -9 of a worker: longest silence before the next result',
        unit: 'ms',
        better: 'lower',
        goal: { atMost: 700 },
      },
      pick(kills, ({ silenceMs }) => silenceMs),
    ),
  ]
}

async function killOnce(url: string, socket: GraphQLSocket): Promise<WorkerKill> {
  await until('a worker and its warm spare', spareMsMax, async () => {
    const idle = (await listWorkers(socket)).filter(({ engine, state }) => engine === 'none' && state === 'READY')
    return idle.length >= 2 ? idle : null
  })
  const ids: string[] = []
  const resultsAt: number[] = []
  const endsAt = performance.now() + beforeKillMs + afterKillMs
  const loop = async () => {
    while (performance.now() < endsAt) {
      const id = await submit(socket, noopJob({ steps: 1, stepMs: jobMs }))
      ids.push(id)
      await follow(socket, id, ({ __typename }: JobEvent) => {
        if (__typename === 'JobSucceeded') resultsAt.push(performance.now())
      })
    }
  }
  const loops = Promise.all(Array.from({ length: clients }, loop))
  loops.catch(() => {}) // awaited below; until then another error comes first
  await sleep(beforeKillMs)
  process.kill(await busiestWorker(socket), 'SIGKILL')
  const killedAt = performance.now()
  await Promise.race([loops, tooLate()])

  const { lost, endedTwice, notSucceeded } = await audit(url, ids)
  return { lost: lost + endedTwice + notSucceeded, silenceMs: longestSilence(killedAt, resultsAt) }
}

/** Asked again when it was just between two batches. */
function busiestWorker(socket: GraphQLSocket): Promise<number> {
  return until('a worker that runs something', busyMsMax, async () => {
    const workers = await listWorkers(socket)
    const [busiest] = workers.toSorted((a, b) => b.runningJobs.length - a.runningJobs.length)
    return busiest !== undefined && busiest.runningJobs.length > 0 ? busiest.pid : null
  })
}

function longestSilence(killedAt: number, resultsAt: readonly number[]): number {
  const marks = [killedAt, ...resultsAt.filter((at) => at > killedAt)]
  if (marks.length === 1) return Number.POSITIVE_INFINITY
  return Math.max(...marks.slice(1).map((at, index) => at - (marks[index] ?? at)))
}

async function tooLate(): Promise<never> {
  await sleep(beforeKillMs + afterKillMs + drainMsMax, undefined, { ref: false })
  throw new Error(`Jobs that were in flight have not ended ${drainMsMax} ms after the last submission.`)
}
