/** textToImage: what is accepted, and what is filled in from the model's manifest. */
import type { Manifest } from '../../runtime/models/manifest.ts'
import { guidanceMax, stepsMaxDefault } from '../../runtime/models/picture-defaults.ts'
import type { TextToImageInput } from '../app.ts'
import { seedMax } from '../picture-terms.ts'
import type { Problems } from './problems.ts'
import { tooManyPixels, upscaleFactors } from './upscale-factors.ts'

/** Where the manifest does not say. */
const countMaxDefault = 16
const stepsDefault = 20
const guidanceDefault = 5

/** The accepted task. */
export interface TextToImageRequest {
  readonly prompt: string
  readonly negativePrompt: string
  /** Pixels, before it is made larger. */
  readonly width: number
  readonly height: number
  readonly steps: number
  readonly guidance: number
  /** Of the first picture; see `seedOfPicture`. */
  readonly seed: number
  readonly count: number
  /** 1 = none. */
  readonly upscale: number
}

/** `drawSeed` is asked when the caller gives none. */
export function normaliseTextToImage(
  input: TextToImageInput,
  manifest: Manifest,
  promptBytesMax: number,
  drawSeed: () => number,
  problems: Problems,
): TextToImageRequest {
  const { defaults, limits } = manifest
  const stepsMax = limits.maxSteps ?? stepsMaxDefault
  const request = {
    prompt: input.prompt,
    negativePrompt: orNothing(input.negativePrompt ?? textOr(defaults['negativePrompt'], '')),
    ...sizeOf(input, manifest),
    steps: input.steps ?? numberOr(defaults['steps'], Math.min(stepsDefault, stepsMax)),
    guidance: input.guidance ?? numberOr(defaults['guidance'], guidanceDefault),
    seed: input.seed ?? drawSeed(),
    count: input.count,
    upscale: input.upscale ?? numberOr(defaults['upscale'], 1),
  }
  problems.text('prompt', request.prompt, promptBytesMax)
  // Nothing to be kept away from is what most ask for.
  if (request.negativePrompt !== '') problems.text('negativePrompt', request.negativePrompt, promptBytesMax)
  checkSize(request, manifest, problems)
  problems.integer('steps', request.steps, 1, stepsMax)
  problems.number('guidance', request.guidance, 0, guidanceMax)
  problems.integer('seed', request.seed, 0, seedMax)
  problems.integer('count', request.count, 1, limits.maxCount ?? countMaxDefault)
  checkUpscale(request, manifest, problems)
  return request
}

function checkUpscale(request: TextToImageRequest, manifest: Manifest, problems: Problems): void {
  const { upscale } = request
  const factors = [1, ...upscaleFactors(manifest)]
  if (!factors.includes(upscale))
    return problems.add('upscale', `must be one of ${factors.join(', ')} (1 = none); given: ${upscale}.`)
  const excess = upscale === 1 ? null : tooManyPixels(request, upscale, manifest)
  if (excess) problems.add('upscale', `${excess}; ask for a smaller size or factor.`)
}

function sizeOf({ width, height }: TextToImageInput, { defaults, options }: Manifest): Size {
  const first = options.sizes?.[0]
  return {
    width: width ?? numberOr(defaults['width'], first?.width ?? 0),
    height: height ?? numberOr(defaults['height'], first?.height ?? 0),
  }
}

/** Told of the side that no size has; of the height when each side alone would do. */
function checkSize({ width, height }: Size, { options }: Manifest, problems: Problems): void {
  const sizes = options.sizes ?? []
  if (sizes.some((size) => size.width === width && size.height === height)) return
  const field = sizes.some((size) => size.width === width) ? 'height' : 'width'
  const possible = sizes.map((size) => `${size.width} x ${size.height}`).join(', ')
  problems.add(field, `this model makes pictures of ${possible} pixels; given: ${width} x ${height}.`)
}
type Size = Pick<TextToImageRequest, 'width' | 'height'>

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback
}

/** Blanks name nothing that a picture could keep away from. */
function orNothing(text: string): string {
  return text.trim() === '' ? '' : text
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}
