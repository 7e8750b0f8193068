/** Jobs as they come in: their tasks linked into a graph, and in no queue yet. */
import { noteDemand } from '../demand/taking.ts'
import type { JobSpec, TaskCheckpoint, TaskSpec } from '../events.ts'
import { learnAnnounced } from '../fairness/expected-work.ts'
import { turnAt } from '../fairness/retaking.ts'
import { joinFlow, takeShare } from '../fairness/turns.ts'
import type { TaskId } from '../ids.ts'
import { bind } from '../placement/binding.ts'
import { isGone, type Job } from '../state.ts'
import type { Turn } from '../turn.ts'
import { JobRecord } from './job-record.ts'
import { TaskRecord } from './task-record.ts'

/** What a job has behind it when it comes. */
export interface History extends Pick<Job, 'attempt' | 'failedAttempts' | 'deathsAlone'> {
  readonly checkpoints: readonly TaskCheckpoint[]
}
const newcomer: History = { attempt: 0, failedAttempts: 0, deathsAlone: 0, checkpoints: [] }

/** Null if it is here already, or cannot run because its version is gone. */
export function acceptJob(turn: Turn, spec: JobSpec, history: History = newcomer): Job | null {
  const { state } = turn
  const { jobId, userId, sessionId, weight, work, class: priorityClass, submittedAt, deadlineAt } = spec
  if (state.jobs.has(jobId)) return null
  const versionId = assertGraph(spec)
  const version = state.versions.get(versionId)
  if (!version || isGone(version)) {
    turn.commands.push({ type: 'jobFailed', jobId, code: 'MODEL_VERSION_GONE', retryable: false, taskId: null })
    return null
  }
  if (history === newcomer) learnAnnounced(state, version, spec.work)
  const share = takeShare(state, version, spec)
  const job: Job = new JobRecord({
    jobId,
    userId,
    sessionId,
    weight,
    work,
    class: priorityClass,
    submittedAt,
    deadlineAt,
    arrival: state.nextArrival,
    order: turnAt(state, share.start, state.nextArrival),
    share,
    version,
    attempt: history.attempt,
  })
  job.failedAttempts = history.failedAttempts
  job.deathsAlone = history.deathsAlone
  const isSuspect = job.deathsAlone > 0
  job.tasks = spec.tasks.map((task, index) => new TaskRecord(job, { ...task, isSuspect, arrival: job.arrival + index }))
  job.tasksLeft = job.tasks.length
  linkTasks(job, spec)
  for (const { taskId, step } of history.checkpoints) recall(job, taskId, step)
  state.jobs.set(jobId, job)
  state.nextArrival += job.tasks.length
  state.waiting[priorityClass].add(job)
  joinFlow(state, job)
  if (history === newcomer) noteDemand(state, job, turn.now)
  if (deadlineAt !== null) state.deadlines.add(job)
  bind(turn, job)
  return job
}

/** Also for a job that is restored: `tasks` in the order of the job's. */
export function linkTasks(
  job: Job,
  { tasks }: { readonly tasks: readonly Pick<TaskSpec, 'taskId' | 'after'>[] },
): void {
  if (tasks.every(({ after }) => after.length === 0)) return
  const byId = new Map(job.tasks.map((task) => [task.taskId, task]))
  for (const { taskId, after } of tasks) {
    const task = byId.get(taskId)
    if (!task) continue
    task.after = after.flatMap((predecessorId) => byId.get(predecessorId) ?? [])
    for (const predecessor of task.after) predecessor.followers = [...predecessor.followers, task]
  }
}

function recall({ tasks }: Job, savedTaskId: TaskId, step: number): void {
  const task = tasks.find(({ taskId }) => taskId === savedTaskId)
  if (!task) return
  task.checkpointStep = step
  task.stepsDone = step
}

/** The version of all tasks. A graph that could never end, or not in one place, is a mistake of the caller, and is found before anything changes. */
function assertGraph({ jobId, tasks }: JobSpec): TaskSpec['versionId'] {
  const [first] = tasks
  if (first && tasks.length === 1 && first.after.length === 0) return first.versionId
  const done = new Set<number>()
  for (let before = -1; before < done.size; ) {
    before = done.size
    for (const { taskId, after } of tasks) if (after.every((predecessor) => done.has(predecessor))) done.add(taskId)
  }
  if (!first || done.size < tasks.length)
    throw new Error(`The tasks of job ${jobId} are none, form a cycle, or wait for a task that it does not have.`)
  if (tasks.some(({ versionId }) => versionId !== first.versionId))
    throw new Error(`The tasks of job ${jobId} are of several versions; a job runs where one version is.`)
  return first.versionId
}
