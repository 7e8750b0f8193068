/** Jobs and tasks from a snapshot, in the places that it names. */
import { joinLane } from '../admission/lanes.ts'
import type { DeviceId } from '../ids.ts'
import { linkTasks } from '../jobs/accepting.ts'
import { JobRecord } from '../jobs/job-record.ts'
import { TaskRecord } from '../jobs/task-record.ts'
import { deviceOf, type Job, type LiveResidency, type SchedulerState, type Task } from '../state.ts'
import { rejoinFlow, restoreShare } from './fairness-rows.ts'
import type { JobSnapshot, ResidencySnapshot, TaskSnapshot, WorkerSnapshot } from './snapshot-rows.ts'

export function restoreJob(
  state: SchedulerState,
  { isLive, versionId, tasks, share, deadlineAt, boundTo, boundMs, ...rest }: JobSnapshot,
): void {
  const version = found(state.versions, versionId)
  const own = restoreShare(state.fairness[rest.class], rest, share, isLive)
  const job = new JobRecord({ ...rest, deadlineAt, share: own, version })
  const { failedAttempts, deathsAlone, staleAttempts, cancelRequested, pauseCause, setback, gained, isStuck } = rest
  const facts = { failedAttempts, deathsAlone, staleAttempts, cancelRequested, pauseCause, setback, gained, isStuck }
  Object.assign(job, { ...facts, state: rest.state, stage: rest.stage })
  job.memory = { ...rest.memory }
  bindAgain(state, job, boundTo, boundMs)
  job.forecast = rest.forecast && { ...rest.forecast }
  job.tasks = tasks.map((task) => restoreTask(state, job, task))
  job.tasksLeft = job.tasks.filter((task) => task.state !== 'done').length
  linkTasks(job, { tasks })
  if (!isLive) return
  state.jobs.set(job.jobId, job)
  rejoinFlow(state, job)
  if (job.memory.restsUntil !== null || job.memory.avoids !== null) state.climbing.add(job)
  if (job.state === 'running') state.runningCount[job.class] += 1
  else if (job.state === 'paused') state.pausedCount[job.class] += 1
  else state.waiting[job.class].add(job)
}

function bindAgain(state: SchedulerState, job: Job, boundTo: DeviceId | null, boundMs: number): void {
  if (boundTo === null) return
  job.boundTo = found(state.devices, boundTo)
  job.boundMs = boundMs
  job.boundTo.boundMs += boundMs
}

function restoreTask(state: SchedulerState, job: Job, snapshot: TaskSnapshot): Task {
  const { residencyId, heldOutput, pausedState } = snapshot
  const { startedAt, workSince, reportedAt, stepsDone, checkpointStep, unstartedDeaths } = snapshot
  const task = new TaskRecord(job, snapshot)
  Object.assign(task, { state: snapshot.state, startedAt, workSince, reportedAt, stepsDone })
  task.checkpointStep = checkpointStep
  task.unstartedDeaths = unstartedDeaths
  task.residency = residencyId === null ? null : found(state.residencies, residencyId)
  task.heldOutput = heldOutput === null ? null : found(state.allocations, heldOutput)
  task.pausedState = pausedState === null ? null : found(state.allocations, pausedState)
  state.tasks.set(task.taskId, task)
  return task
}

/** Also counts them where they are. */
export function restoreTasksOf(state: SchedulerState, snapshot: WorkerSnapshot): void {
  const worker = found(state.workers, snapshot.workerId)
  for (const taskId of snapshot.tasks) {
    const task = found(state.tasks, taskId)
    const { job, residency } = task
    if (!residency) throw new Error(`The snapshot has task ${taskId} at a worker and at no residency.`)
    worker.tasks.add(task)
    job.tasksAtWorkers += 1
    if (task.pausedState) residency.parked += 1
    else restoreStepping(task, residency)
  }
  if (snapshot.alone === null) return
  worker.alone = found(state.tasks, snapshot.alone)
  worker.alone.version.aloneAt = worker
}

function restoreStepping({ job, startedAt }: Task, residency: LiveResidency): void {
  deviceOf(residency).admitted += 1
  job.tasksStepping += 1
  residency.admitted += 1
  if (job.class === 'interactive') residency.interactive += 1
  if (startedAt !== null) residency.running += 1
}

export function restoreHome(state: SchedulerState, { residencyId, jobs }: ResidencySnapshot): void {
  const residency = found(state.residencies, residencyId)
  for (const jobId of jobs) {
    const job = found(state.jobs, jobId)
    residency.jobs.add(job)
    job.home = residency
  }
}

/** In the queues that their states name. */
export function restorePlaces(state: SchedulerState, job: Job): void {
  for (const task of job.tasks) {
    if (task.state === 'waiting') joinLane(task)
    if (task.state === 'suspect') job.version.suspects.add(task)
    if (!task.residency) state.tasks.delete(task.taskId)
  }
  if (job.deadlineAt !== null && job.tasksStepping === 0 && !job.cancelRequested) state.deadlines.add(job)
}

export function found<Id, Thing>(things: ReadonlyMap<Id, Thing>, id: Id): Thing {
  const thing = things.get(id)
  if (thing === undefined) throw new Error(`The snapshot names ${String(id)}, which it does not have.`)
  return thing
}
