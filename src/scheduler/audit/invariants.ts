/** What must hold after every step, checked in tests and in the simulator. */

import { type Device, type LiveAllocation, priorityClasses, type SchedulerState } from '../state.ts'
import { type Expect, expectAbout } from './expect.ts'
import { checkJob, checkTask } from './job-invariants.ts'
import { checkLeases, checkResidency, checkVersion, checkWorker } from './place-invariants.ts'

/** One sentence for each invariant that does not hold. */
export function brokenInvariants(state: SchedulerState): string[] {
  const found: string[] = []
  for (const device of state.devices.values()) {
    const expect = expectAbout(found, () => `Device ${device.spec.name}`)
    checkLedger(state, device, expect)
    checkLeases(state, device, expect)
  }
  for (const job of state.jobs.values()) {
    const expect = expectAbout(found, () => `Job ${job.jobId} (${job.state})`)
    checkJob(state, job, expect)
    for (const task of job.tasks) {
      const expectOfTask = expectAbout(found, () => `Task ${task.taskId} (${task.state})`)
      checkTask(state, task, expectOfTask)
    }
  }
  for (const worker of state.workers.values()) {
    const expect = expectAbout(found, () => `Worker ${worker.workerId}`)
    checkWorker(state, worker, expect)
  }
  for (const residency of state.residencies.values()) {
    const expect = expectAbout(found, () => `Residency ${residency.residencyId}`)
    checkResidency(state, residency, expect)
  }
  for (const version of state.versions.values()) {
    const expect = expectAbout(found, () => version.spec.modelName)
    checkVersion(state, version, expect)
  }
  const expectOfQueue = expectAbout(found, () => 'The queue')
  checkCounters(state, expectOfQueue)
  const expectOfBooks = expectAbout(found, () => 'The books')
  checkCharges(state, expectOfBooks)
  return found
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
  const stepping = workers.flatMap(({ tasks }) => [...tasks]).filter(({ pausedState }) => pausedState === null)
  expect(device.admitted === stepping.length, 'counts other tasks than its workers may step')
}

/** What jobs are charged for is what their tasks have. */
function checkCharges({ allocations, jobs, tasks: atWorkers }: SchedulerState, expect: Expect): void {
  let charged = 0
  for (const { jobId } of allocations.values()) if (jobId !== null) charged += 1
  const tasks = new Set(atWorkers.values())
  for (const job of jobs.values()) for (const task of job.tasks) tasks.add(task)
  for (const { heldOutput, pausedState } of tasks) {
    if (heldOutput) charged -= 1
    if (pausedState) charged -= 1
  }
  expect(charged === 0, 'have outputs or paused states that nobody has')
}

function bytesOf(allocations: readonly LiveAllocation[], state: LiveAllocation['state']): number {
  return allocations.reduce((sum, allocation) => sum + (allocation.state === state ? allocation.sizeBytes : 0), 0)
}

function checkCounters(state: SchedulerState, expect: Expect): void {
  for (const priorityClass of priorityClasses) {
    const jobs = [...state.jobs.values()].filter((job) => job.class === priorityClass)
    const running = jobs.filter((job) => job.state === 'running').length
    const paused = jobs.filter((job) => job.state === 'paused').length
    expect(
      state.waiting[priorityClass].size === jobs.length - running - paused,
      `has ${priorityClass} jobs that are not there, or misses some`,
    )
    expect(state.runningCount[priorityClass] === running, `counts other running ${priorityClass} jobs than there are`)
    expect(state.pausedCount[priorityClass] === paused, `counts other paused ${priorityClass} jobs than there are`)
  }
  const deadlineAt = state.deadlines.first()?.deadlineAt ?? Number.POSITIVE_INFINITY
  const nextAt = Math.min(state.alarms[0] ?? Number.POSITIVE_INFINITY, deadlineAt)
  expect(nextAt >= (state.timerAt ?? Number.POSITIVE_INFINITY), 'has something due before the timer fires')
}
