/**
 * Requests that were accepted, as the store keeps them, and the artifacts inside. These stand under `artifact` or in `artifacts`, and nowhere else: what callers
 * put freely into a request (parameters of a program, values of tensors) is not looked into.
 */
import type { ArtifactId } from '../store/records.ts'
import type { PictureTerms } from './picture-terms.ts'
import type { ClassifyImageRequest } from './validation/classify-image.ts'
import type { EmbedTextRequest } from './validation/embed-text.ts'
import type { GenerateTextRequest } from './validation/generate-text.ts'
import type { ImageRequest } from './validation/image-input.ts'
import type { InferRequest } from './validation/infer.ts'
import type { StoredArtifact } from './validation/input-artifacts.ts'
import type { TextToImageRequest } from './validation/text-to-image.ts'
import type { UpscaleImageRequest } from './validation/upscale-image.ts'

/** The accepted task under the name of its kind. */
export interface AcceptedRequest {
  readonly textToImage?: TextToImageRequest
  readonly generateText?: GenerateTextRequest
  readonly embedText?: EmbedTextRequest
  readonly upscaleImage?: UpscaleImageRequest
  readonly classifyImage?: ClassifyImageRequest
  readonly infer?: InferRequest
  readonly program?: {
    readonly name: string
    readonly parameters: unknown
    readonly artifacts?: readonly StoredArtifact[]
  }
  /** Of textToImage and upscaleImage: no part of the task. */
  readonly terms?: PictureTerms
}

export function artifactsOf(request: AcceptedRequest): readonly StoredArtifact[] {
  const { classifyImage, upscaleImage, infer, program } = request
  const picture = (classifyImage ?? upscaleImage)?.image.artifact
  if (picture) return [picture]
  if (infer) return infer.tensors.flatMap((tensor) => ('artifact' in tensor ? [tensor.artifact] : []))
  return program?.artifacts ?? []
}

export function artifactIdsOf(request: AcceptedRequest): readonly ArtifactId[] {
  return [...new Set(artifactsOf(request).map(({ artifactId }) => artifactId))]
}

/** The accepted task as callers sent it: each artifact by its id in the API, and nothing beside the task. */
export function shownRequest(request: unknown, encodeId: (id: ArtifactId) => string): unknown {
  if (request === null) return null
  const { textToImage, classifyImage, upscaleImage, infer, program } = request as AcceptedRequest
  const shownImage = (image: ImageRequest) =>
    image.artifact ? { artifactId: encodeId(image.artifact.artifactId) } : image
  if (textToImage) return { textToImage }
  if (classifyImage) return { classifyImage: { ...classifyImage, image: shownImage(classifyImage.image) } }
  if (upscaleImage) return { upscaleImage: { ...upscaleImage, image: shownImage(upscaleImage.image) } }
  if (infer) {
    const tensors = infer.tensors.map((tensor) => {
      if (!('artifact' in tensor)) return tensor
      const { artifact, ...others } = tensor
      return { ...others, artifactId: encodeId(artifact.artifactId) }
    })
    return { infer: { ...infer, tensors } }
  }
  if (program?.artifacts) {
    const { artifacts, ...others } = program
    return { program: { ...others, artifactIds: artifacts.map(({ artifactId }) => encodeId(artifactId)) } }
  }
  return request
}
