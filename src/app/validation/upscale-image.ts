/** upscaleImage: what is accepted. */
import type { Manifest } from '../../runtime/models/manifest.ts'
import type { ImageInput } from '../app.ts'
import { type ImageRequest, normaliseImage } from './image-input.ts'
import type { InputArtifacts } from './input-artifacts.ts'
import type { Problems } from './problems.ts'
import { tooManyPixels, upscaleFactors } from './upscale-factors.ts'

/** The accepted task. */
export interface UpscaleImageRequest {
  readonly image: ImageRequest
  readonly factor: number
}

/** `pixelsMax`: of the picture that is given. */
export function normaliseUpscaleImage(
  { image, factor }: { readonly image: ImageInput; readonly factor: number },
  manifest: Manifest,
  artifacts: InputArtifacts,
  pixelsMax: number,
  problems: Problems,
): UpscaleImageRequest {
  const before = problems.found.length
  const accepted = normaliseImage('image', image, artifacts, pixelsMax, problems)
  const factors = upscaleFactors(manifest)
  if (!factors.includes(factor)) problems.add('factor', `must be ${orOf(factors)} with this model; given: ${factor}.`)
  // With one of the two wrong there is no result to be too large.
  if (accepted.size && problems.found.length === before) {
    const excess = tooManyPixels(accepted.size, factor, manifest)
    if (excess) problems.add('factor', `${excess}; give a smaller picture.`)
  }
  return { image: accepted.image, factor }
}

function orOf(factors: readonly number[]): string {
  return factors.length > 1 ? `one of ${factors.join(', ')}` : String(factors[0] ?? 'left out')
}
