/**
 * Fragmentation of memory, measured by demand (fragmentation gradient descent, Weng et al., ATC '23): what is free on a device is lost for whatever does
 * not fit into it. The expected loss is what a next request, drawn from recent demand, could not use.
 */

/** Sizes that are asked for and how often; ascending by size, shares sum to 1. */
export type Mix = readonly Wish[]

export interface Wish {
  readonly bytes: number
  readonly share: number
}

/** What is left free beside a model counts for so much of itself: it decides where models fragment about the same. */
export const restWeight = 0.03

export function mixOf(wishes: readonly { readonly bytes: number; readonly weight: number }[]): Wish[] {
  const weightBySize = new Map<number, number>()
  let sum = 0
  for (const { bytes, weight } of wishes) {
    weightBySize.set(bytes, (weightBySize.get(bytes) ?? 0) + weight)
    sum += weight
  }
  if (sum <= 0) return []
  return [...weightBySize].map(([bytes, weight]) => ({ bytes, share: weight / sum })).sort((a, b) => a.bytes - b.bytes)
}

/** Bytes of `availableBytes` that the next request cannot be expected to use. */
function fragmentedBytes(mix: Mix, availableBytes: number): number {
  let tooLarge = 0
  for (let index = mix.length - 1; index >= 0; index -= 1) {
    const wish = mix[index]
    if (!wish || wish.bytes <= availableBytes) break
    tooLarge += wish.share
  }
  return tooLarge * Math.max(0, availableBytes)
}

/** By how much the loss grows when `bytes` are taken; negative where a rest that nobody could use is taken with them. */
export function fragmentationGrowth(mix: Mix, availableBytes: number, bytes: number): number {
  return fragmentedBytes(mix, availableBytes - bytes) - fragmentedBytes(mix, availableBytes)
}
