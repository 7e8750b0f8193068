/** How much larger a model makes pictures. */
import type { Manifest } from '../../runtime/models/manifest.ts'
import type { ImageSize } from './image-input.ts'

/** As the program has it where the manifest does not say. */
const resultPixelsMaxDefault = 2 ** 24

/** By how much a model can make a picture larger, other than by 1. */
export function upscaleFactors({ options }: Manifest): readonly number[] {
  return (options.upscale?.factors ?? []).filter((factor) => factor !== 1)
}

/** Why no picture of this size can be made larger so much; null when one can. */
export function tooManyPixels({ width, height }: ImageSize, factor: number, { limits }: Manifest): string | null {
  const pixelsMax = limits.maxResultPixels ?? resultPixelsMaxDefault
  const [wide, high] = [width * factor, height * factor]
  if (wide * high <= pixelsMax) return null
  return `would make ${wide} x ${high} pixels of it, of at most ${pixelsMax} that this model makes`
}
