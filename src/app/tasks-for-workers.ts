/** An admission in full: the program and its request, as the worker takes them. */

import type { AdmittedTask } from '../runtime/workers/worker-pool.ts'
import type { Admission } from '../scheduler/commands.ts'
import type { TaskRecord } from '../store/records.ts'
import type { AppContext } from './context.ts'
import type { LiveJob } from './live-jobs.ts'
import { generateTextForWorker } from './validation/generate-text.ts'

/** Items a task may emit before the log has committed any: enough to keep a worker busy over one commit, little enough to bound memory. */
const initialCredit = 16_384

/** A promise when its request must be read from the store. The scheduler admits tasks of live jobs only. */
export function taskForWorker(context: AppContext, admission: Admission): AdmittedTask | Promise<AdmittedTask> {
  const job = context.live.get(admission.jobId)
  const task = job?.tasks.find(({ id }) => id === admission.taskId)
  if (!job || !task) throw new Error(`Task ${admission.taskId} of job ${admission.jobId} was admitted and is not live.`)
  if (job.request !== null) return admittedTask(context, admission, job, task, job.request)
  return context.store.readRequest(admission.jobId).then((request) => {
    if (request === null) throw new Error(`The request of job ${admission.jobId} is not in the store.`)
    return admittedTask(context, admission, job, task, request)
  })
}

function admittedTask(
  context: AppContext,
  admission: Admission,
  job: LiveJob,
  task: TaskRecord,
  requestText: string,
): AdmittedTask {
  const { taskId, class: priorityClass, order, attempt, deadlineAt } = admission
  return {
    taskId,
    versionId: job.record.versionId,
    program: task.program,
    components: task.components,
    request: requestForWorker(job, requestText),
    class: priorityClass,
    order,
    attempt,
    deadlineMs: deadlineAt === null ? null : Math.max(0, deadlineAt - context.clock.now()),
    credit: initialCredit,
  }
}

function requestForWorker(job: LiveJob, requestText: string): Readonly<Record<string, unknown>> {
  const request: Readonly<Record<string, unknown>> = JSON.parse(requestText)[job.record.taskKind]
  return job.record.taskKind === 'generateText' ? generateTextForWorker(request) : request
}
