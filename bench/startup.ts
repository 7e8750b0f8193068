/** From nothing to a server that is ready, and the memory it then holds: idle, and after work. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GraphQLSocket } from './clients/graphql-socket.ts'
import { runJob } from './clients/jobs.ts'
import { noopJob } from './clients/noop-job.ts'
import { listWorkers, workersStarted } from './clients/workers.ts'
import { type Benchmark, type Figure, figure, type RunSettings } from './harness/benchmark.ts'
import { proportionalBytes } from './harness/process-tree.ts'
import { measureSeries, pick, plan } from './harness/rounds.ts'
import { MeasuredServer } from './harness/server.ts'
import { startPeers } from './peers.ts'
import { measureFreshClone } from './startup/fresh-clone.ts'
import { measureNpmStart } from './startup/npm-start.ts'

const loadJobs = 5000
const loadClients = 32

export const startup: Benchmark = {
  name: 'startup',
  about: 'Server process to ready line, `npm start` for the second time, set-up of a fresh clone, and memory (PSS).',
  placement:
    'server and workers on core 0, generator on core 1; npm start and the set-up of a fresh clone on all cores',
  generatorCore: 1,
  peers: [startPeers],
  run: measureStartup,
}

async function measureStartup(settings: RunSettings): Promise<readonly Figure[]> {
  return [
    ...(await measureReady(settings)),
    ...(await measureNpmStart(settings)),
    ...(await measureMemory(settings)),
    ...(settings.hasFreshClone ? await measureFreshClone(settings) : []),
  ]
}

interface Ready {
  /** On an empty data folder: the weights' digests are computed. */
  readonly firstMs: number
  /** On the folder that the first has left. */
  readonly againMs: number
}

async function measureReady(settings: RunSettings): Promise<readonly Figure[]> {
  const starts = await measureSeries(plan(settings, { series: 2, roundsPerSeries: 5 }), async (): Promise<Ready> => {
    const dataDir = await mkdtemp(join(tmpdir(), 'hearth-bench-data-'))
    const start = () => settings.quiet.round(() => readyMs(dataDir, settings))
    const ready = { firstMs: await start(), againMs: await start() }
    settings.say(`ready after ${Math.round(ready.firstMs)} ms, again after ${Math.round(ready.againMs)} ms`)
    await rm(dataDir, { recursive: true })
    return ready
  })
  const what = 'server process to ready line'
  return [
    figure(
      { id: 'startup.ready', what: `${what}, once set up`, unit: 'ms', better: 'lower', goal: { atMost: 1000 } },
      pick(starts, ({ againMs }) => againMs),
    ),
    figure(
      { id: 'startup.ready.first', what: `${what}, empty data folder`, unit: 'ms', better: 'lower' },
      pick(starts, ({ firstMs }) => firstMs),
    ),
  ]
}

async function readyMs(dataDir: string, { profileDir }: RunSettings): Promise<number> {
  const startedAt = performance.now()
  await using _server = await MeasuredServer.start({ dataDir, profileDir })
  return performance.now() - startedAt
}

async function measureMemory(settings: RunSettings): Promise<readonly Figure[]> {
  await using server = await MeasuredServer.start()
  const socket = await GraphQLSocket.open(server.url)
  await workersStarted(socket)
  const idle = await memory(server, socket, 'idle, no job yet')
  await runText(socket)
  await runNoops(socket)
  const worked = await memory(
    server,
    socket,
    `after ${loadJobs.toLocaleString('en')} no-op jobs, a text and an embedding`,
  )
  socket.close()
  for (const { what, value } of [...idle, ...worked]) settings.say(`${what}: ${value.toFixed(0)} MB`)
  return [...idle, ...worked].map(({ id, what, value }) => figure({ id, what, unit: 'MB', better: 'lower' }, [[value]]))
}

interface Memory {
  readonly id: string
  readonly what: string
  readonly value: number
}

async function memory(server: MeasuredServer, socket: GraphQLSocket, when: string): Promise<readonly Memory[]> {
  const moment = when.startsWith('idle') ? 'idle' : 'loaded'
  const workers = (await listWorkers(socket)).flatMap(({ pid, engine }) => (pid === null ? [] : [{ pid, engine }]))
  return [
    { id: `startup.memory.${moment}.server`, what: `PSS of the server process, ${when}`, value: megabytes(server.pid) },
    ...workers.map(({ pid, engine }, index) => ({
      id: `startup.memory.${moment}.worker${index + 1}`,
      what: `PSS of worker ${index + 1} (engine ${engine}), ${when}`,
      value: megabytes(pid),
    })),
  ]
}

function megabytes(pid: number): number {
  return proportionalBytes(pid) / 1e6
}

async function runText(socket: GraphQLSocket): Promise<void> {
  await runJob(socket, {
    model: 'smollm2-135m-instruct',
    task: { generateText: { prompt: 'Name three colours.', maxTokens: 16 } },
  })
  await runJob(socket, { model: 'all-minilm-l6-v2', task: { embedText: { texts: ['A man is eating food.'] } } })
}

async function runNoops(socket: GraphQLSocket): Promise<void> {
  let left = loadJobs
  const loop = async () => {
    while (left > 0) {
      left -= 1
      await runJob(socket, noopJob({ value: left }))
    }
  }
  await Promise.all(Array.from({ length: loadClients }, loop))
}
