/** Which tasks a worker holds. Whatever counts them is kept here and nowhere else. */
import type { DecisionReason } from './decisions.ts'
import type { LiveResidency, Task, Worker } from './state.ts'
import { decided, letterTo, type Turn } from './turn.ts'

export function admit(turn: Turn, task: Task, residency: LiveResidency, reason: DecisionReason): void {
  const { job } = task
  const { worker } = residency
  const { device } = worker.slot
  // From here on the worker watches over the deadline.
  if (job.deadlineSlot >= 0) turn.state.deadlines.removeAt(job.deadlineSlot)
  if (job.attempt === 0) job.attempt = 1
  job.tasksAtWorkers += 1
  task.state = 'admitted'
  task.residency = residency
  worker.tasks.add(task)
  residency.admitted += 1
  if (job.class === 'interactive') residency.interactive += 1
  device.admitted += 1
  const { jobId, class: priorityClass, attempt, deadlineAt } = job
  letterTo(turn, worker).admissions.push({
    taskId: task.taskId,
    jobId,
    class: priorityClass,
    order: task.order,
    attempt,
    deadlineAt,
  })
  decided(turn, {
    kind: 'ADMIT',
    reason,
    jobId,
    versionId: task.version.spec.versionId,
    deviceId: device.spec.deviceId,
    workerId: worker.workerId,
  })
}

/** True if the task was admitted in this very turn: then its worker does not hear of it. */
export function takeFromLetter({ letters }: Turn, task: Task): boolean {
  const admissions = task.residency ? letters.get(task.residency.worker)?.admissions : undefined
  const index = admissions?.findIndex(({ taskId }) => taskId === task.taskId) ?? -1
  if (index >= 0) admissions?.splice(index, 1)
  return index >= 0
}

/** Its first step begins. */
export function markStarted(turn: Turn, task: Task): void {
  if (task.state !== 'admitted' || !task.residency) return
  task.state = 'started'
  task.startedAt = turn.now
  task.residency.running += 1
}

/** The worker knows nothing of the task any more. It is in no queue until the caller puts it into one. */
export function leave(turn: Turn, task: Task): void {
  const { job, residency } = task
  if (!residency) throw new Error(`Task ${task.taskId} is at no worker.`)
  const { worker } = residency
  const { device } = worker.slot
  worker.tasks.delete(task)
  residency.admitted -= 1
  if (job.class === 'interactive') residency.interactive -= 1
  if (task.startedAt !== null) residency.running -= 1
  residency.lastUsedAt = turn.now
  device.admitted -= 1
  if (task.state !== 'abandoned') task.state = 'blocked'
  task.residency = null
  task.startedAt = null
  job.tasksAtWorkers -= 1
  if (job.tasksAtWorkers === 0 && job.deadlineAt !== null && task.state !== 'abandoned') turn.state.deadlines.add(job)
  turn.touched.add(task.version)
  if (worker.alone === task) endAlone(turn, worker)
  else if (worker.alone) turn.touched.add(worker.alone.version)
  if (turn.state.wanted.size > 0 && (residency.admitted === 0 || device.admitted === 0)) turn.placementDue = true
}

/** The worker is open to everybody again. */
export function endAlone(turn: Turn, worker: Worker): void {
  if (!worker.alone) return
  worker.alone.version.aloneAt = null
  turn.touched.add(worker.alone.version)
  worker.alone = null
  for (const { version } of worker.residencies.values()) turn.touched.add(version)
  if (turn.state.wanted.size > 0) turn.placementDue = true
}
