/** An admission in full: the program and its request, as the worker takes them. */

import type { AdmittedTask } from '../runtime/workers/worker-pool.ts'
import type { Admission } from '../scheduler/commands.ts'
import type { TaskId } from '../scheduler/ids.ts'
import type { TaskRecord } from '../store/records.ts'
import type { AppContext } from './context.ts'
import type { LiveJob } from './live-jobs.ts'
import { type KeptRequest, requestForWorker } from './requests-for-workers.ts'

/** Items a task may emit before the log has committed any: enough to keep a worker busy over one commit, little enough to bound memory. */
const initialCredit = 16_384

/** A promise when its request or its checkpoint must be read from the store. The scheduler admits tasks of live jobs only. */
export function taskForWorker(context: AppContext, admission: Admission): AdmittedTask | Promise<AdmittedTask> {
  const { live, store, checkpoints } = context
  const job = live.get(admission.jobId)
  const task = job?.tasks.find(({ id }) => id === admission.taskId)
  if (!job || !task) throw new Error(`Task ${admission.taskId} of job ${admission.jobId} was admitted and is not live.`)
  const request = job.request ?? store.readRequest(admission.jobId)
  const saved = admission.isRestored ? checkpoints.get(task.id) : null
  if (typeof request === 'string' && !(saved instanceof Promise))
    return admittedTask(context, admission, job, task, request, saved)
  return Promise.all([request, saved]).then(([text, bytes]) => {
    if (text === null) throw new Error(`The request of job ${admission.jobId} is not in the store.`)
    return admittedTask(context, admission, job, task, text, bytes)
  })
}

/** `saved` null: the task begins at its beginning. */
function admittedTask(
  context: AppContext,
  admission: Admission,
  job: LiveJob,
  task: TaskRecord,
  requestText: string,
  saved: Uint8Array | null,
): AdmittedTask {
  const { taskId, class: priorityClass, order, attempt, deadlineAt, stepMsMax, stage, isHeld } = admission
  const accepted: KeptRequest = JSON.parse(requestText)
  return {
    taskId,
    versionId: job.record.versionId,
    program: task.program,
    components: task.components,
    request: requestForWorker(context, job.record, task, accepted),
    class: priorityClass,
    order,
    attempt,
    deadlineMs: deadlineAt === null ? null : Math.max(0, deadlineAt - context.clock.now()),
    stepMsMax,
    credit: initialCredit,
    stage,
    isHeld,
    inputs: inputsByNode(job, admission),
    saved,
  }
}

/** The earlier tasks that it takes from, under the names of their nodes: each of the same picture, or done once for all of them. */
function inputsByNode({ tasks }: LiveJob, { taskId, inputs }: Admission): Record<string, TaskId> {
  const wanted = new Set(inputs)
  const found = tasks.filter(({ id }) => wanted.has(id))
  if (found.length !== wanted.size) throw new Error(`Task ${taskId} was admitted with an input of another job.`)
  return Object.fromEntries(found.map(({ node, id }) => [node, id]))
}
