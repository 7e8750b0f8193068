/** 500 mixed jobs by each of two policies: the defaults, and first come, first served with least recently used eviction. */
import { GraphQLSocket } from '../clients/graphql-socket.ts'
import { follow, type SubmitJobInput, submit } from '../clients/jobs.ts'
import { operation } from '../clients/operation.ts'
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { drawJobs } from './drawn-jobs.ts'
import { DeviceWatch } from './memory-watch.ts'
import { SmallDevices } from './small-devices.ts'

/** So many wait or run at any time. */
const clients = 24

const policies = {
  defaults: {},
  'first come, first served': { HEARTH_EVICTION: 'lru', HEARTH_QUEUE_ORDER: 'arrival' },
} as const

interface Round {
  readonly failures: number
  readonly loadsPer100: number
  readonly overCommitted: number
  readonly jain: number
  readonly efficiency: number
  readonly seconds: number
}

export async function measureMixture(settings: RunSettings): Promise<readonly Figure[]> {
  const jobs = drawJobs(settings.isQuick ? 60 : 500, 7)
  const ours = await serveAll(settings, 'defaults', jobs)
  const theirs = await serveAll(settings, 'first come, first served', jobs)
  const head = (id: string, what: string, unit: string, better: 'higher' | 'lower') => ({
    id: `contention.${id}`,
    what,
    unit,
    better,
  })
  return [
    figure({ ...head('failures', `${jobs.length} mixed jobs: failures`, 'jobs', 'lower'), goal: { atMost: 0 } }, [
      [ours.failures],
    ]),
    figure(
      {
        ...head('over-committed', 'samples in which a device had lent more than its budget', 'samples', 'lower'),
        goal: { atMost: 0 },
      },
      [[ours.overCommitted]],
    ),
    figure(head('loads', 'loads per 100 jobs', 'loads', 'lower'), [[ours.loadsPer100]]),
    figure(
      head('loads-lru-fcfs', 'loads per 100 jobs, least recently used and first come, first served', 'loads', 'lower'),
      [[theirs.loadsPer100]],
    ),
    figure({ ...head('jain', "Jain index of the devices' work", '', 'higher'), goal: { atLeast: 0.85 } }, [
      [ours.jain],
    ]),
    figure(
      { ...head('memory-efficiency', 'memory measured at its peak / committed', '', 'higher'), goal: { atLeast: 0.8 } },
      [[ours.efficiency]],
    ),
    figure(head('seconds', 'time for all jobs', 's', 'lower'), [[ours.seconds]]),
    figure(
      head('seconds-lru-fcfs', 'time for all jobs, least recently used and first come, first served', 's', 'lower'),
      [[theirs.seconds]],
    ),
  ]
}

async function serveAll(
  settings: RunSettings,
  name: keyof typeof policies,
  jobs: readonly SubmitJobInput[],
): Promise<Round> {
  await using devices = await SmallDevices.start(policies[name])
  const socket = await GraphQLSocket.open(devices.server.url)
  const watch = new DeviceWatch(socket)
  const startedAt = performance.now()
  const outcomes = await runAll(socket, jobs)
  const seconds = (performance.now() - startedAt) / 1000
  await watch.end()
  socket.close()
  const round = {
    failures: outcomes.filter(({ isSuccess }) => !isSuccess).length,
    loadsPer100: (watch.loads / jobs.length) * 100,
    overCommitted: watch.overCommitted,
    jain: jainOf(outcomes),
    efficiency: watch.efficiency,
    seconds,
  }
  settings.say(
    `${name}: ${seconds.toFixed(1)} s, ${round.failures} failures, ${round.loadsPer100.toFixed(1)} loads per 100 jobs, ` +
      `Jain ${round.jain.toFixed(3)}, memory ${round.efficiency.toFixed(2)}, ${watch.overCommitted} of ${watch.samples} samples over budget`,
  )
  return round
}

interface Outcome {
  readonly isSuccess: boolean
  readonly device: string
  readonly runMs: number
}

const jobQuery = operation(`query Ended($id: ID!) { job(id: $id) { state device { name } timings { runMs } } }`)

async function runAll(socket: GraphQLSocket, jobs: readonly SubmitJobInput[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const left = jobs.values()
  const client = async () => {
    for (const input of left) outcomes.push(await runOne(socket, input))
  }
  await Promise.all(Array.from({ length: clients }, client))
  return outcomes
}

async function runOne(socket: GraphQLSocket, input: SubmitJobInput): Promise<Outcome> {
  const id = await submit(socket, input)
  await follow(socket, id, () => {})
  const { job } = (await socket.ask(jobQuery, { id })) as {
    job: { state: string; device: { name: string } | null; timings: { runMs: number | null } }
  }
  return { isSuccess: job.state === 'SUCCEEDED', device: job.device?.name ?? '', runMs: job.timings.runMs ?? 0 }
}

/** Of the time that jobs ran on each device: 1 = all had the same, 1 / n = one had all. */
function jainOf(outcomes: readonly Outcome[]): number {
  const work = new Map<string, number>([
    ['cpu-0', 0],
    ['cpu-1', 0],
  ])
  for (const { device, runMs } of outcomes) work.set(device, (work.get(device) ?? 0) + runMs)
  const all = [...work.values()]
  const sum = all.reduce((total, each) => total + each, 0)
  return sum ** 2 / (all.length * all.reduce((total, each) => total + each ** 2, 0))
}
