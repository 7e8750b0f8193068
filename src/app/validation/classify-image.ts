/** classifyImage: what is accepted. */
import type { ImageInput } from '../app.ts'
import { type ImageRequest, normaliseImage } from './image-input.ts'
import type { InputArtifacts } from './input-artifacts.ts'
import type { Problems } from './problems.ts'

/** As many labels as any answer has. */
const labelsMax = 1000

/** The accepted task. */
export interface ClassifyImageRequest {
  readonly image: ImageRequest
  readonly topK: number
}

export function normaliseClassifyImage(
  { image, topK }: { readonly image: ImageInput; readonly topK: number },
  artifacts: InputArtifacts,
  pixelsMax: number,
  problems: Problems,
): ClassifyImageRequest {
  problems.integer('topK', topK, 1, labelsMax)
  return { image: normaliseImage('image', image, artifacts, pixelsMax, problems).image, topK }
}
