/** What the program of a task is given: the job's accepted request, cut to what this program works with. */

import type { JobRecord, TaskRecord } from '../store/records.ts'
import type { AppContext } from './context.ts'
import { pictureRequest, upscalingRequest } from './picture-requests.ts'
import type { AcceptedRequest } from './request-artifacts.ts'
import { bytesOfValues, textsOfValues } from './tensors/values.ts'
import { generateTextForWorker } from './validation/generate-text.ts'
import { bytesOfDataUrl, type ImageRequest } from './validation/image-input.ts'
import type { InferTensor } from './validation/infer.ts'
import type { StoredArtifact } from './validation/input-artifacts.ts'

/** Numbers, texts, flags, null, bytes, lists and maps. */
export type Fields = Readonly<Record<string, unknown>>
/** As the store has it; kinds that need nothing done to them have no type of their own. */
export type KeptRequest = AcceptedRequest & Fields
type FileOf = (artifact: StoredArtifact) => Fields

export function requestForWorker(
  { artifacts, catalogue }: Pick<AppContext, 'artifacts' | 'catalogue'>,
  { taskKind, versionId }: Pick<JobRecord, 'taskKind' | 'versionId'>,
  task: Pick<TaskRecord, 'program' | 'item'>,
  request: KeptRequest,
): Fields {
  const file = ({ sha256, mimeType, sizeBytes }: StoredArtifact) => ({
    path: artifacts.files.path(sha256),
    mimeType,
    sizeBytes,
  })
  const { textToImage, upscaleImage, classifyImage, infer, program, terms } = request
  if (textToImage && terms) return pictureRequest(task, textToImage, terms, catalogue.version(versionId))
  if (upscaleImage && terms)
    return upscalingRequest(
      imageForWorker(upscaleImage.image, file),
      upscaleImage.factor,
      terms,
      catalogue.version(versionId),
    )
  if (classifyImage) return { image: imageForWorker(classifyImage.image, file), topK: classifyImage.topK }
  if (infer) return { tensors: infer.tensors.map((tensor) => tensorForWorker(tensor, file)), outputs: infer.outputs }
  if (program) {
    const { artifacts: files, ...others } = program
    return files ? { ...others, artifacts: files.map(file) } : others
  }
  const fields = (request[taskKind] ?? {}) as Fields
  return taskKind === 'generateText' ? generateTextForWorker(fields) : fields
}

function imageForWorker({ artifact, dataUrl }: ImageRequest, file: FileOf): Fields {
  return artifact ? file(artifact) : { data: bytesOfDataUrl(dataUrl ?? '') }
}

/** Values become bytes here, once, so that no program has to read JSON. */
function tensorForWorker(tensor: InferTensor, file: FileOf): Fields {
  const { name, dtype, shape } = tensor
  if ('artifact' in tensor) return { name, dtype, shape, ...file(tensor.artifact) }
  if (dtype === 'string') return { name, dtype, shape, values: textsOfValues(tensor.values) }
  return { name, dtype, shape, data: bytesOfValues(dtype, shape, tensor.values) }
}
