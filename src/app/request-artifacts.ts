/**
 * The artifacts inside a request that was accepted. They stand under `artifact` or in `artifacts`, and nowhere else: what callers put freely into a request
 * (parameters of a program, values of tensors) is not looked into.
 */
import type { ArtifactId } from '../store/records.ts'
import type { InferRequest } from './validation/infer.ts'
import type { StoredArtifact } from './validation/input-artifacts.ts'

/** The accepted task under the name of its kind, as the store keeps it. */
export interface AcceptedRequest {
  readonly classifyImage?: {
    readonly image: { readonly artifact?: StoredArtifact; readonly dataUrl?: string }
    readonly topK: number
  }
  readonly infer?: InferRequest
  readonly program?: {
    readonly name: string
    readonly parameters: unknown
    readonly artifacts?: readonly StoredArtifact[]
  }
}

export function artifactsOf({ classifyImage, infer, program }: AcceptedRequest): readonly StoredArtifact[] {
  if (classifyImage) return classifyImage.image.artifact ? [classifyImage.image.artifact] : []
  if (infer) return infer.tensors.flatMap((tensor) => ('artifact' in tensor ? [tensor.artifact] : []))
  return program?.artifacts ?? []
}

export function artifactIdsOf(request: AcceptedRequest): readonly ArtifactId[] {
  return [...new Set(artifactsOf(request).map(({ artifactId }) => artifactId))]
}

/** The request as callers sent it: each artifact by its id in the API. */
export function shownRequest(request: unknown, encodeId: (id: ArtifactId) => string): unknown {
  const accepted = request as AcceptedRequest | null
  const picture = accepted?.classifyImage?.image.artifact
  if (picture)
    return { classifyImage: { ...accepted?.classifyImage, image: { artifactId: encodeId(picture.artifactId) } } }
  if (accepted?.infer) {
    const tensors = accepted.infer.tensors.map((tensor) => {
      if (!('artifact' in tensor)) return tensor
      const { artifact, ...others } = tensor
      return { ...others, artifactId: encodeId(artifact.artifactId) }
    })
    return { infer: { ...accepted.infer, tensors } }
  }
  if (accepted?.program?.artifacts) {
    const { artifacts, ...others } = accepted.program
    return { program: { ...others, artifactIds: artifacts.map(({ artifactId }) => encodeId(artifactId)) } }
  }
  return request
}
