/** upscaleImage: what is accepted. */
import type { Manifest } from '../../runtime/models/manifest.ts'
import type { ImageInput } from '../app.ts'
import { type ImageRequest, type ImageSize, normaliseImage } from './image-input.ts'
import type { InputArtifacts } from './input-artifacts.ts'
import type { Problems } from './problems.ts'
import { upscaleFactors } from './upscale-factors.ts'

/** The accepted task. */
export interface UpscaleImageRequest {
  readonly image: ImageRequest
  readonly factor: number
}

/** As its program has it where the manifest does not say. */
const resultPixelsMaxDefault = 2 ** 24

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
  const resultPixelsMax = manifest.limits.maxResultPixels ?? resultPixelsMaxDefault
  if (accepted.size && problems.found.length === before) checkResult(accepted.size, factor, resultPixelsMax, problems)
  return { image: accepted.image, factor }
}

function checkResult({ width, height }: ImageSize, factor: number, pixelsMax: number, problems: Problems): void {
  const [wide, high] = [width * factor, height * factor]
  if (wide * high > pixelsMax)
    problems.add(
      'factor',
      `would make ${wide} x ${high} pixels of it, of at most ${pixelsMax} that this model makes; give a smaller picture.`,
    )
}

function orOf(factors: readonly number[]): string {
  return factors.length > 1 ? `one of ${factors.join(', ')}` : String(factors[0] ?? 'left out')
}
