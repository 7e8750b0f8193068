/** What a job of pictures was accepted under, beside its task: kept with its request, so that no change of a setting reaches a job that is on its way. */
import type { PreviewInput } from './app.ts'

export interface PictureTerms {
  readonly format: PictureFormat
  readonly safety: SafetyTerms
  /** Null: none were asked for. */
  readonly previews: PreviewInput | null
}
export type PictureFormat = 'png' | 'webp'
export interface SafetyTerms {
  readonly policy: SafetyPolicy
  /** A picture with this score or more is unsafe. */
  readonly threshold: number
}
/** `off`: nothing is checked; `flag`: unsafe pictures are given with their verdict; `block`: they are withheld. */
export type SafetyPolicy = 'off' | 'flag' | 'block'

/** Engines count seeds in 31 bits. */
export const seedMax = 2 ** 31 - 1

/** Of the picture `item`, from 0, of a job with this seed. */
export function seedOfPicture(seed: number, item: number): number {
  return (seed + item) % (seedMax + 1)
}
