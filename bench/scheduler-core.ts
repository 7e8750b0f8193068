/**
 * What the scheduler's core costs, for 10, 1,000 and 10,000 devices with 2,000 models and a queue of a million jobs: events each second on one core,
 * how long single steps take, and memory. Twice: with models that are all resident, and with one job in a hundred of a model that must be loaded first.
 * Run it alone: `node bench/scheduler-core.ts [DEVICES [QUEUED]]`.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { explainWait } from '../src/scheduler/explain/explain.ts'
import { queueView } from '../src/scheduler/explain/queue-view.ts'
import { snapshot } from '../src/scheduler/snapshot/snapshot.ts'
import { Fleet } from './scheduler-core/fleet.ts'
import { StepTimes } from './scheduler-core/step-times.ts'

const allDevices = [10, 1000, 10_000]
const versions = 2000
const hotMax = 1800
const hotPerDeviceMax = 20
const measuredJobs = 200_000
const coldEvery = 100
const shares = [0.5, 0.99, 0.999, 1]

const [devices, queued] = process.argv.slice(2).map(Number)
if (devices === undefined) {
  // Each size in a process of its own, so that none pays for the memory of another.
  for (const count of allDevices)
    execFileSync(process.execPath, [fileURLToPath(import.meta.url), String(count)], { stdio: 'inherit' })
} else {
  measure(devices, queued ?? 1_000_000)
}

function measure(deviceCount: number, queuedJobs: number): void {
  const hot = Math.min(hotMax, hotPerDeviceMax * deviceCount)
  const startedAt = performance.now()
  const fleet = new Fleet({ devices: deviceCount, versions, hot, queued: queuedJobs })
  const { state } = fleet
  console.log(
    `${deviceCount} devices, ${state.workers.size} workers, ${state.residencies.size} residencies, ${versions} models, ` +
      `${state.jobs.size} jobs; set up in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
  )
  collectGarbage()
  const { heapUsed, external, rss } = process.memoryUsage()
  console.log(`  memory: heap and buffers ${mib(heapUsed + external)} MiB, process ${mib(rss)} MiB`)
  for (let job = 0; job < measuredJobs / 4; job += 1) fleet.turnOver()
  run('all models resident', fleet, () => fleet.turnOver())
  let job = 0
  run('1 % of jobs of models to be loaded', fleet, () => {
    job += 1
    if (job % coldEvery === 0) fleet.turnOverCold()
    else fleet.turnOver()
  })
  time('explainWait of the last job', 100, () => explainWait(state, fleet.lastJob, fleet.now))
  time('queueView with the next 20', 20, () => queueView(state, fleet.now, queuedJobs).next(20))
  time('snapshot of everything', 1, () => snapshot(state))
}

/** Throughput over processor time, so that whatever else runs on the machine does not count; single steps by the clock. */
function run(what: string, fleet: Fleet, turnOver: () => void): void {
  const times = new StepTimes(measuredJobs * 8)
  fleet.times = times
  const before = process.cpuUsage()
  for (let job = 0; job < measuredJobs; job += 1) turnOver()
  const { user, system } = process.cpuUsage(before)
  fleet.times = null
  const perSecond = (times.count / (user + system)) * 1e6
  const [p50, p99, p999, max] = times.quantiles(shares).map((value) => value.toFixed(1))
  console.log(
    `  ${what}: ${Math.round(perSecond / 1000)},000 events/s; a step takes ${p50} us, p99 ${p99} us, p99.9 ${p999} us, at most ${max} us (${times.count} events)`,
  )
}

function time(what: string, times: number, act: () => unknown): void {
  const startedAt = performance.now()
  for (let index = 0; index < times; index += 1) act()
  console.log(`  ${(((performance.now() - startedAt) * 1000) / times).toFixed(1)} us: ${what}`)
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
}

function mib(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}
