/** What must hold after every step, checked in tests and in the simulator. */
import { hasRoom, isOpen } from './admission.ts'
import {
  backlogOf,
  type Device,
  deviceOf,
  isGone,
  isLive,
  type Job,
  type LiveAllocation,
  type LiveResidency,
  priorityClasses,
  type SchedulerState,
  type Task,
  type Version,
  type Worker,
} from './state.ts'
import { wantOf } from './wants.ts'

/** One sentence for each invariant that does not hold. */
export function brokenInvariants(state: SchedulerState): string[] {
  const found: string[] = []
  for (const device of state.devices.values()) {
    checkLedger(
      state,
      device,
      expectAbout(found, () => `Device ${device.spec.name}`),
    )
  }
  for (const job of state.jobs.values()) {
    checkJob(
      state,
      job,
      expectAbout(found, () => `Job ${job.jobId}`),
    )
    for (const task of job.tasks)
      checkTask(
        state,
        task,
        expectAbout(found, () => `Task ${task.taskId} (${task.state})`),
      )
  }
  for (const worker of state.workers.values()) {
    checkWorker(
      state,
      worker,
      expectAbout(found, () => `Worker ${worker.workerId}`),
    )
  }
  for (const residency of state.residencies.values()) {
    checkResidency(
      state,
      residency,
      expectAbout(found, () => `Residency ${residency.residencyId}`),
    )
  }
  for (const version of state.versions.values()) {
    checkVersion(
      state,
      version,
      expectAbout(found, () => version.spec.modelName),
    )
  }
  checkCounters(
    state,
    expectAbout(found, () => 'The queue'),
  )
  return found
}

type Expect = (holds: boolean, problem: string) => void

function expectAbout(found: string[], subject: () => string): Expect {
  return (holds, problem) => {
    if (!holds) found.push(`${subject()} ${problem}.`)
  }
}

/** The sums of the ledger are those of its rows. That nothing is promised twice is seen from outside, by `Audit`. */
function checkLedger(state: SchedulerState, device: Device, expect: Expect): void {
  const all = [...state.allocations.values()].filter((allocation) => allocation.device === device)
  const weights = all.filter(({ purpose }) => purpose === 'weights')
  const { allocatedBytes, reservedBytes, weightsBytes, loading } = device
  expect(allocatedBytes === bytesOf(all, 'committed'), 'counts other bytes as allocated than its allocations have')
  expect(reservedBytes === bytesOf(all, 'reserved'), 'counts other bytes as reserved than its reservations have')
  expect(
    weightsBytes === bytesOf(weights, 'committed') + bytesOf(weights, 'reserved'),
    'counts other weights than it has',
  )
  const loads = [...device.residencies].filter((residency) => residency.state === 'loading')
  expect(loads.length <= 1 && (loads[0] ?? null) === loading, 'loads more than one version, or another than it says')
  const workers = [...state.workers.values()].filter(({ slot }) => slot.device === device)
  const held = workers.reduce((count, { tasks }) => count + tasks.size, 0)
  expect(device.admitted === held, 'counts other tasks than its workers hold')
}

function bytesOf(allocations: readonly LiveAllocation[], state: LiveAllocation['state']): number {
  return allocations.reduce((sum, allocation) => sum + (allocation.state === state ? allocation.sizeBytes : 0), 0)
}

/** No job is lost: each has something left to do, and somebody who will do it. */
function checkJob(state: SchedulerState, job: Job, expect: Expect): void {
  let held = 0
  let queued = 0
  let left = 0
  for (const { residency, state: life } of job.tasks) {
    if (residency) held += 1
    if (life === 'waiting' || life === 'suspect') queued += 1
    if (life !== 'done') left += 1
  }
  expect(job.tasksLeft > 0 && job.tasksLeft === left, 'has ended, or counts other tasks than are left')
  expect(job.tasksAtWorkers === held, 'counts other tasks at workers than are there')
  expect(
    state.waiting[job.class].has(job) === (job.state !== 'running'),
    'waits outside the queue, or runs and is in it',
  )
  expect(job.deadlineAt === null || job.deadlineSlot >= 0 === (held === 0), 'has a deadline that nobody watches')
  expect(job.cancelRequested || held + queued > 0, 'has no task that could go on')
  expect(!job.cancelRequested || held > 0, 'was cancelled, is nowhere, and has not ended')
}

/** A task is in exactly the one place that its state names. */
function checkTask(state: SchedulerState, task: Task, expect: Expect): void {
  const { version, job, residency, state: life } = task
  const isHeld = life === 'admitted' || life === 'started' || life === 'abandoned'
  expect(state.tasks.get(task.taskId) === task, 'is unknown')
  expect(version.lanes[job.class].has(task) === (life === 'waiting'), 'is in a lane and should not be, or is not')
  expect(version.suspects.has(task) === (life === 'suspect'), 'is among the suspects and should not be, or is not')
  expect((residency !== null) === isHeld, 'is at a worker and should not be, or is not')
  for (const worker of state.workers.values()) {
    expect(
      worker.tasks.has(task) === (worker === residency?.worker),
      `is not where it says, looked for at ${worker.workerId}`,
    )
  }
  expect((task.startedAt !== null) === (life === 'started') || life === 'abandoned', 'has a start that does not fit')
}

/** Tasks are only with workers that are ready and have the version. */
function checkWorker(state: SchedulerState, worker: Worker, expect: Expect): void {
  const { tasks, alone, slot, residencies, runtime } = worker
  expect(slot.primary === worker || slot.spares.includes(worker), 'has no place')
  expect(tasks.size === 0 || worker.state === 'ready', 'has tasks and is not ready')
  expect(residencies.size === 0 || slot.primary === worker, 'is a spare and holds models')
  expect(!alone?.residency || tasks.size === 1, 'has a task that should be alone, and others')
  expect(alone === null || alone.version.aloneAt === worker, 'is reserved for a suspect that does not know it')
  for (const { residency } of tasks)
    expect(residency?.worker === worker && residency.state !== 'loading', 'lacks a version')
  expect(state.allocations.get(runtime.allocationId) === runtime, 'is on no book')
}

function checkResidency(state: SchedulerState, residency: LiveResidency, expect: Expect): void {
  const { version, worker, admitted, interactive, running, ending } = residency
  const tasks = [...worker.tasks].filter((task) => task.residency === residency)
  expect(state.workers.get(worker.workerId) === worker, 'is in no worker')
  expect(worker.residencies.get(version.spec.versionId) === residency, 'is not known to its worker')
  expect(version.residencies.includes(residency), 'is not known to its version')
  expect(deviceOf(residency).residencies.has(residency), 'is not known to its device')
  expect(admitted === tasks.length, 'counts other tasks than it has')
  expect(
    interactive === tasks.filter(({ job }) => job.class === 'interactive').length,
    'counts other interactive tasks',
  )
  expect(running === tasks.filter(({ startedAt }) => startedAt !== null).length, 'counts other started tasks')
  expect(admitted <= 2 * state.settings.admitAheadFactor * version.spec.batchLimit, 'was given too much ahead of need')
  const isTold = residency.unloadSent || admitted > 0
  expect(residency.state !== 'evicting' || (ending !== null && isTold), 'is to go, is idle, and was not told')
}

/** Work is conserved: nothing waits that a worker could take. Whoever has to be loaded is on the list. */
function checkVersion(state: SchedulerState, version: Version, expect: Expect): void {
  const { lanes, residencies, aloneAt } = version
  for (const priorityClass of priorityClasses) {
    const isFree = residencies.some((residency) => isOpen(residency) && hasRoom(state, residency, priorityClass))
    expect(state.draining || lanes[priorityClass].size === 0 || !isFree, `has ${priorityClass} tasks waiting, and room`)
  }
  expect((wantOf(state, version) !== null) === state.wanted.has(version), 'is wanted and not on the list, or is on it')
  expect(!isGone(version) || backlogOf(version) === 0, 'is gone, and tasks wait for it')
  expect(
    version.standing !== 'replaced' || version.requests.length === 0,
    'cannot be loaded, and somebody waits for it',
  )
  expect(aloneAt === null || aloneAt.alone?.version === version, 'has a worker reserved that does not know it')
  const workers = residencies.filter(isLive).map(({ worker }) => worker)
  expect(new Set(workers).size === workers.length, 'is twice in one worker')
}

function checkCounters(state: SchedulerState, expect: Expect): void {
  for (const priorityClass of priorityClasses) {
    let waiting = 0
    let running = 0
    for (const job of state.jobs.values()) {
      if (job.class !== priorityClass) continue
      if (job.state === 'running') running += 1
      else waiting += 1
    }
    expect(
      state.waiting[priorityClass].size === waiting,
      `has ${priorityClass} jobs that are not there, or misses some`,
    )
    expect(state.runningCount[priorityClass] === running, `counts other running ${priorityClass} jobs than there are`)
  }
  const deadlineAt = state.deadlines.first()?.deadlineAt ?? Number.POSITIVE_INFINITY
  const nextAt = Math.min(state.alarms[0] ?? Number.POSITIVE_INFINITY, deadlineAt)
  expect(nextAt >= (state.timerAt ?? Number.POSITIVE_INFINITY), 'has something due before the timer fires')
}
