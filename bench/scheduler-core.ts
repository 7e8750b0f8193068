/**
 * What the scheduler's core costs: microseconds per job (three events: submitted, started, done) and per event, with 10 devices and a queue of
 * 100,000 jobs. Run it alone: `node bench/scheduler-core.ts`.
 */
import type { Command } from '../src/scheduler/commands.ts'
import { createState, step } from '../src/scheduler/core.ts'
import type { SchedulerEvent, TaskReport } from '../src/scheduler/events.ts'
import { explainWait, queueView } from '../src/scheduler/explain/explain.ts'
import type { DeviceId, JobId, TaskId, VersionId, WorkerId } from '../src/scheduler/ids.ts'
import { defaultSettings } from '../src/scheduler/settings.ts'
import { snapshot } from '../src/scheduler/snapshot/snapshot.ts'

const deviceCount = 10
const versionCount = 10
const queuedJobs = 100_000
const measuredJobs = 200_000

const state = createState(defaultSettings, 1)
let now = 0
let nextJob = 1
/** What each worker holds, in the order in which it was given. */
const held = new Map<WorkerId, TaskId[]>()

function feed(event: SchedulerEvent): void {
  for (const command of step(state, event, now)) answer(command)
}

function answer(command: Command): void {
  const privateBytes = 1_000_000
  if (command.type === 'spawnWorker') feed({ type: 'workerReady', workerId: command.workerId, privateBytes })
  if (command.type === 'load') {
    const { workerId, versionId } = command
    feed({ type: 'modelLoaded', workerId, versionId, loadMs: 10, weightsBytes: 1_000_000, privateBytes })
  }
  if (command.type === 'admit') {
    const tasks = held.get(command.workerId) ?? []
    for (const { taskId } of command.tasks) tasks.push(taskId)
    held.set(command.workerId, tasks)
  }
}

function submit(): void {
  const jobId = nextJob as JobId
  nextJob += 1
  const versionId = ((jobId % versionCount) + 1) as VersionId
  const priorityClass = jobId % 4 === 0 ? 'batch' : 'interactive'
  const tasks = [
    {
      taskId: jobId as number as TaskId,
      versionId,
      after: [],
      stage: 'inference',
      isHeld: false,
      components: [],
    } as const,
  ]
  feed({
    type: 'jobsSubmitted',
    jobs: [
      {
        jobId,
        userId: null,
        sessionId: null,
        weight: 1,
        work: 1,
        class: priorityClass,
        submittedAt: now,
        deadlineAt: null,
        tasks,
      },
    ],
  })
}

function report(workerId: WorkerId, kind: 'started' | 'done'): boolean {
  const taskId = held.get(workerId)?.[0]
  if (taskId === undefined) return false
  if (kind === 'done') held.get(workerId)?.shift()
  const one: TaskReport = kind === 'started' ? { kind, taskId } : { kind, taskId, stepsRun: 1, heldBytes: 0 }
  feed({ type: 'stepsReported', workerId, reports: [one] })
  return true
}

for (let index = 1; index <= deviceCount; index += 1) {
  feed({
    type: 'deviceAdded',
    device: { deviceId: index as DeviceId, name: `device-${index}`, limitBytes: 1e10, coreCount: 4, workerThreads: 4 },
  })
}
for (let index = 1; index <= versionCount; index += 1) {
  const version = {
    versionId: index as VersionId,
    modelName: `model-${index}`,
    engine: 'none',
    weightsBytes: 1_000_000,
    workingBytes: 0,
    batchLimit: 4,
    holdMs: 0,
    interruptAfterMs: 5,
    componentBytes: [],
    componentNames: [],
  }
  feed({ type: 'versionRegistered', version })
  feed({ type: 'loadRequested', versionId: version.versionId, deviceId: index as DeviceId })
}
for (let index = 0; index < queuedJobs; index += 1) submit()

const workers = [...held.keys()]
/** Milliseconds of processor time, so that whatever else runs on the machine does not count. */
function round(jobs: number): number {
  const before = process.cpuUsage()
  for (let index = 0; index < jobs; index += 1) {
    now += 0.05
    const workerId = workers[index % workers.length]
    submit()
    if (workerId) report(workerId, 'started')
    if (workerId) report(workerId, 'done')
  }
  return process.cpuUsage(before).user / 1000
}
round(measuredJobs / 10)
const elapsedMs = round(measuredJobs)
const perJob = (elapsedMs * 1000) / measuredJobs
console.log(
  `${deviceCount} devices, ${state.workers.size} workers, ${state.residencies.size} residencies, ${state.jobs.size} jobs live`,
)
console.log(
  `${perJob.toFixed(2)} us of processor time per job (submitted, started, done), ${(perJob / 3).toFixed(2)} us per event`,
)

const lastJob = (nextJob - 1) as JobId
time('explainWait of the last job', 200, () => explainWait(state, lastJob, now))
time('queueView with the next 20', 200, () => queueView(state, now, queuedJobs).next(20))
time('snapshot of everything, as JSON', 3, () => JSON.stringify(snapshot(state)))

function time(what: string, times: number, act: () => unknown): void {
  const startedAt = performance.now()
  for (let index = 0; index < times; index += 1) act()
  console.log(`${(((performance.now() - startedAt) * 1000) / times).toFixed(1)} us: ${what}`)
}
