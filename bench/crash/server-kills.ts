/** The server is killed again and again while clients submit; what it had acknowledged must all be there, once, in the end. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GraphQLSocket } from '../clients/graphql-socket.ts'
import { HttpConnection } from '../clients/http-connection.ts'
import { submit } from '../clients/jobs.ts'
import { noopJob } from '../clients/noop-job.ts'
import { operation } from '../clients/operation.ts'
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { isRunning, processTree } from '../harness/process-tree.ts'
import { MeasuredServer } from '../harness/server.ts'
import { until } from '../harness/until.ts'
import { audit } from './audit.ts'

const quickKills = 2
const clients = 8
/** Keeps the number of jobs to audit in the tens of thousands. */
const pauseBetweenMs = 4
const shortestStreamMs = 300
const longestStreamMs = 1300
const drainMsMax = 120_000
const orphanMsMax = 2000

export async function measureServerKills(settings: RunSettings): Promise<readonly Figure[]> {
  const kills = settings.isQuick ? quickKills : settings.serverKills
  const dataDir = await mkdtemp(join(tmpdir(), 'hearth-bench-data-'))
  try {
    const acknowledged: string[] = []
    const readyMs: number[] = []
    let leftBehind = 0
    for (let kill = 1; kill <= kills; kill += 1) {
      const startedAt = performance.now()
      const server = await MeasuredServer.start({ dataDir })
      readyMs.push(performance.now() - startedAt)
      const before = acknowledged.length
      leftBehind += await submitUntilKilled(server, kill, acknowledged)
      settings.say(
        `server killed (${kill} of ${kills}): ${acknowledged.length - before} jobs acknowledged, ready in ${Math.round(readyMs.at(-1) ?? 0)} ms`,
      )
    }
    await using server = await MeasuredServer.start({ dataDir })
    await drained(server.url)
    const result = await audit(server.url, acknowledged)
    settings.say(`${acknowledged.length} jobs audited: ${JSON.stringify(result)}`)

    const jobs = { unit: 'jobs', better: 'lower', goal: { atMost: 0 } } as const
    const what = `kill -9 of the server, ${kills} times, ${acknowledged.length.toLocaleString('en')} jobs acknowledged`
    return [
      figure({ id: 'crash.server.lost', what: `${what}: lost`, ...jobs }, [[result.lost]]),
      figure({ id: 'crash.server.twice', what: `${what}: ended twice`, ...jobs }, [[result.endedTwice]]),
      figure({ id: 'crash.server.notSucceeded', what: `${what}: ended once, but not well`, ...jobs }, [
        [result.notSucceeded],
      ]),
      figure(
        { id: 'crash.server.orphans', what: `${what}: worker processes left behind`, ...jobs, unit: 'processes' },
        [[leftBehind]],
      ),
      figure(
        {
          id: 'crash.server.ready',
          what: 'restart after kill -9: process to ready line, recovery included',
          unit: 'ms',
          better: 'lower',
        },
        [readyMs],
      ),
    ]
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Adds what was acknowledged before the kill; gives the number of processes that outlived the server. */
async function submitUntilKilled(server: MeasuredServer, kill: number, acknowledged: string[]): Promise<number> {
  const connections = Array.from({ length: clients }, () => new HttpConnection(server.url))
  let isKilled = false
  const loop = async (connection: HttpConnection) => {
    for (let value = 0; !isKilled; value += 1) {
      acknowledged.push(await submit(connection, noopJob({ value })))
      await sleep(pauseBetweenMs)
    }
  }
  // What was not answered when the server died was not acknowledged; an error before that is one.
  const untilKilled = (error: unknown) => {
    if (!isKilled) throw error
  }
  const loops = Promise.all(connections.map((connection) => loop(connection).catch(untilKilled)))
  loops.catch(() => {}) // awaited below
  await sleep(streamMs(kill))
  const below = processTree(server.pid).slice(1)
  isKilled = true
  await server.kill()
  await loops
  for (const connection of connections) connection.close()
  return outliving(below)
}

/** Spread evenly over the range, in an order that looks random and is the same in every run. */
function streamMs(kill: number): number {
  const goldenRatio = 0.618_033_988_749_895
  return shortestStreamMs + ((kill * goldenRatio) % 1) * (longestStreamMs - shortestStreamMs)
}

async function outliving(pids: readonly number[]): Promise<number> {
  const alive = () => pids.filter(isRunning).length
  const endsAt = performance.now() + orphanMsMax
  while (alive() > 0 && performance.now() < endsAt) await sleep(10)
  return alive()
}

const queue = operation('{ queue { lanes { queued running } } }')

async function drained(url: string): Promise<void> {
  const socket = await GraphQLSocket.open(url)
  await until('an empty queue', drainMsMax, async () => {
    const { lanes } = ((await socket.ask(queue, {})) as { queue: { lanes: { queued: number; running: number }[] } })
      .queue
    return lanes.every(({ queued, running }) => queued + running === 0) ? true : null
  })
  socket.close()
}
