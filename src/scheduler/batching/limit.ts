/**
 * How many states should share a step: the fewest at which nearly the best rate is reached, because every further one makes all of them wait longer.
 * Sizes far beyond those that were tried are not judged yet.
 */
import { type BatchCurve, expectedMs, isKnown, largestSeen } from './curve.ts'

/** Judged at once; rates hardly rise any more from here on. */
const sizesMax = 512
const reachFactor = 4

/** By so much a rate may miss its share of the best, or exceed it, before a limit that was told is changed. */
const slack = 0.02

/** `shareOfBest`: of the best rate, from 0 to 1. `max` is returned as long as too little is known. `told`: the limit until now. */
export function throughputLimit(curve: BatchCurve, max: number, shareOfBest: number, told?: number): number {
  if (!isKnown(curve)) return max
  const reach = Math.min(max, sizesMax, reachFactor * largestSeen(curve))
  const rateOf = (states: number) => states / Math.max(expectedMs(curve, states), Number.EPSILON)
  let best = 0
  for (let states = 1; states <= reach; states += 1) best = Math.max(best, rateOf(states))
  const fewest = (share: number) => {
    let states = 1
    while (states < reach && rateOf(states) < share * best) states += 1
    return states
  }
  if (told !== undefined && told >= fewest(shareOfBest - slack) && told <= fewest(shareOfBest + slack)) return told
  return fewest(shareOfBest)
}
