/** An admission in full: the program and its request, as the worker takes them. */

import type { AdmittedTask } from '../runtime/workers/worker-pool.ts'
import type { Admission } from '../scheduler/commands.ts'
import type { TaskRecord } from '../store/records.ts'
import type { AppContext } from './context.ts'
import type { LiveJob } from './live-jobs.ts'
import type { AcceptedRequest } from './request-artifacts.ts'
import { bytesOfValues, textsOfValues } from './tensors/values.ts'
import { bytesOfDataUrl } from './validation/classify-image.ts'
import { generateTextForWorker } from './validation/generate-text.ts'
import type { InferTensor } from './validation/infer.ts'
import type { StoredArtifact } from './validation/input-artifacts.ts'

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
    request: requestForWorker(context, job, requestText),
    class: priorityClass,
    order,
    attempt,
    deadlineMs: deadlineAt === null ? null : Math.max(0, deadlineAt - context.clock.now()),
    credit: initialCredit,
  }
}

type Fields = Readonly<Record<string, unknown>>

function requestForWorker({ artifacts }: AppContext, { record }: LiveJob, requestText: string): Fields {
  const fields: Readonly<Record<string, Fields | undefined>> = JSON.parse(requestText)
  const request = fields as AcceptedRequest
  const file = ({ sha256, mimeType, sizeBytes }: StoredArtifact) => ({
    path: artifacts.files.path(sha256),
    mimeType,
    sizeBytes,
  })
  const { taskKind } = record
  if (taskKind === 'classifyImage' && request.classifyImage) {
    const { image, topK } = request.classifyImage
    return { image: image.artifact ? file(image.artifact) : { data: bytesOfDataUrl(image.dataUrl ?? '') }, topK }
  }
  if (taskKind === 'infer' && request.infer) {
    const { tensors, outputs } = request.infer
    return { tensors: tensors.map((tensor) => tensorForWorker(tensor, file)), outputs }
  }
  if (taskKind === 'program' && request.program) {
    const { artifacts: files, ...others } = request.program
    return files ? { ...others, artifacts: files.map(file) } : others
  }
  const task = fields[taskKind] ?? {}
  return taskKind === 'generateText' ? generateTextForWorker(task) : task
}

/** Values become bytes here, once, so that no program has to read JSON. */
function tensorForWorker(tensor: InferTensor, file: (artifact: StoredArtifact) => Fields): Fields {
  const { name, dtype, shape } = tensor
  if ('artifact' in tensor) return { name, dtype, shape, ...file(tensor.artifact) }
  if (dtype === 'string') return { name, dtype, shape, values: textsOfValues(tensor.values) }
  return { name, dtype, shape, data: bytesOfValues(dtype, shape, tensor.values) }
}
