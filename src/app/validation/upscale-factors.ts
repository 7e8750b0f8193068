import type { Manifest } from '../../runtime/models/manifest.ts'

/** By how much a model can make a picture larger, other than by 1. */
export function upscaleFactors({ options }: Manifest): readonly number[] {
  return (options.upscale?.factors ?? []).filter((factor) => factor !== 1)
}
