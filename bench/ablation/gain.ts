/** What a mechanism must bring, in the words of a table and as a goal for the ratio of the two sides. */
import type { Figure, Goal } from '../harness/benchmark.ts'

export type Gain =
  /** The value falls by this share or more: 0.9 = a tenth or less is left. */
  | { readonly less: number }
  /** The value rises by this share or more: 2 = three times or more. */
  | { readonly more: number }
  /** The value falls to one in so many, or less. */
  | { readonly timesFaster: number }
  /** The value itself, with the mechanism; there is nothing to compare it with. */
  | { readonly reaches: number }

/** For with / without; of `reaches`, for the value itself. */
export function goalOf(gain: Gain): Goal {
  if ('less' in gain) return { atMost: rounded(1 - gain.less) }
  if ('more' in gain) return { atLeast: 1 + gain.more }
  if ('timesFaster' in gain) return { atMost: 1 / gain.timesFaster }
  return { atLeast: gain.reaches }
}

export function inWords(gain: Gain): string {
  if ('less' in gain) return `-${percent(gain.less)}`
  if ('more' in gain) return `+${percent(gain.more)}`
  if ('timesFaster' in gain) return `${gain.timesFaster} x faster`
  return `≥ ${percent(gain.reaches)}`
}

/** Which values are the good ones; what is only measured to be known is a time or a size unless its unit is a rate. */
export function betterOf(gain: Gain | null, unit: string): Figure['better'] {
  if (gain !== null) return 'more' in gain || 'reaches' in gain ? 'higher' : 'lower'
  return unit.endsWith('/s') ? 'higher' : 'lower'
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** 1 - 0.9 is not 0.1 in binary. */
function rounded(share: number): number {
  return Number(share.toFixed(6))
}
