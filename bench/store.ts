/**
 * What the store costs: submissions, state changes and whole no-op jobs per second, durable, with every thread of the process counted.
 * Run it pinned to one core, as the server's own figures are:
 *
 *     taskset -c 0 npx node bench/store.ts [seconds per row]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeviceId } from '../src/scheduler/ids.ts'
import { createEventLog } from '../src/store/job-events.ts'
import { openStore } from '../src/store/open-store.ts'
import type { NewJob } from '../src/store/records.ts'
import { storedJobs } from '../test/support/stored-jobs.ts'

const secondsPerRow = Number(process.argv[2] ?? 3)
const deviceId = 1 as DeviceId
const output = Buffer.from('{"values":1}')

const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-'))
const openedAt = performance.now()
const store = await openStore({ folder })
const openMs = performance.now() - openedAt
const log = createEventLog({ store, now: Date.now })
const jobs = await storedJobs(store)

const rows: Record<string, Record<string, number>> = {}
await measure('submissions, 64 calls outstanding', 64, async () => submit(jobs.many(1)))
await measure('submissions, units of 100, 8 outstanding', 8, async () => submit(jobs.many(100)))
await measure('state changes, 64 jobs', 64, async () => startAndRequeue())
await measure('no-op jobs, 1 at a time', 1, async () => noop())
await measure('no-op jobs, 32 at a time', 32, async () => noop())
await measure('no-op jobs, 256 at a time', 256, async () => noop())
console.log(`opened a new folder in ${openMs.toFixed(0)} ms`)
console.table(rows)
await store.close()
await rm(folder, { recursive: true })

/** `work` answers how much it did. */
async function measure(name: string, outstanding: number, work: () => Promise<number>): Promise<void> {
  let done = 0
  const repeat = async (until: number) => {
    while (performance.now() < until) {
      const more = await work()
      done += more
    }
  }
  const all = (seconds: number) => {
    const until = performance.now() + seconds * 1000
    return Promise.all(Array.from({ length: outstanding }, () => repeat(until)))
  }
  await all(secondsPerRow / 3)
  done = 0
  const commits = store.metrics.commits
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await all(secondsPerRow)
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  rows[name] = {
    'per second': Math.round(done / seconds),
    'us wall': round((seconds * 1e6) / done),
    'us CPU': round((user + system) / done),
    'rows per commit': round(done / (store.metrics.commits - commits)),
  }
}

async function submit(unit: readonly NewJob[]): Promise<number> {
  log.submitted(await store.submitJobs(unit))
  return unit.length
}

/** Two changes that lead back to where they began, on a job that is there. */
async function startAndRequeue(): Promise<number> {
  const job = jobs.next()
  await submit([job])
  const failure = { code: 'WORKER_LOST', message: 'The worker died.', retryable: true } as const
  for (let attempt = 1; attempt <= 50; attempt++) {
    await log.changeState(job.record, { kind: 'started', deviceId }, 'RUNNING', {
      attempt,
      deviceId,
      startedAt: Date.now(),
    })
    await log.changeState(job.record, { kind: 'requeued', cause: 'worker_lost', failure, fromStep: 0 }, 'QUEUED', {
      deviceId: null,
    })
  }
  return 100
}

async function noop(): Promise<number> {
  const job = jobs.next()
  await submit([job])
  void log.changeState(job.record, { kind: 'started', deviceId }, 'RUNNING', {
    attempt: 1,
    deviceId,
    startedAt: Date.now(),
  })
  await log.changeState(job.record, { kind: 'succeeded' }, 'SUCCEEDED', { finishedAt: Date.now() }, output)
  return 1
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
