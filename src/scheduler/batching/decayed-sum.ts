/** A sum of which older parts weigh less: by a factor of e after each time constant. Plain values, for snapshots. */
import type { Millis } from '../ids.ts'

export interface DecayedSum {
  readonly sum: number
  readonly at: Millis
}

export const nothingSummed: DecayedSum = { sum: 0, at: 0 }

export function plus(before: DecayedSum, amount: number, now: Millis, timeConstantMs: Millis): DecayedSum {
  return { sum: sumAt(before, now, timeConstantMs) + amount, at: now }
}

export function sumAt({ sum, at }: DecayedSum, now: Millis, timeConstantMs: Millis): number {
  return sum * Math.exp(-Math.max(0, now - at) / timeConstantMs)
}

/** When it has fallen to `level`, if nothing is added. */
export function fallsTo({ sum, at }: DecayedSum, level: number, timeConstantMs: Millis): Millis {
  return sum <= level ? at : at + timeConstantMs * Math.log(sum / level)
}
