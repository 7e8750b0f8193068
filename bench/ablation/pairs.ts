/** Rounds with and without a mechanism, in turn, so that a machine that gets slower or faster meanwhile does so for both. */
import type { Round, Sides, Values } from './mechanism.ts'

export interface Pair {
  readonly with: Values
  readonly without: Values
}

/** Which side goes first changes from pair to pair: what the first leaves behind is not always charged to the same one. */
export async function measurePairs(
  count: number,
  sides: Readonly<Record<keyof Pair, Round>>,
  around: (round: Round) => Promise<Values>,
): Promise<Pair[]> {
  const pairs: Pair[] = []
  for (let index = 0; index < count; index += 1) pairs.push(await measurePair(index % 2 === 0, sides, around))
  return pairs
}

async function measurePair(
  isWithFirst: boolean,
  sides: Pick<Sides, 'with' | 'without'>,
  around: (round: Round) => Promise<Values>,
): Promise<Pair> {
  const first = await around(isWithFirst ? sides.with : sides.without)
  const second = await around(isWithFirst ? sides.without : sides.with)
  return isWithFirst ? { with: first, without: second } : { with: second, without: first }
}

/** Values of one comparison, by pair. Throws where a side has not measured it. */
export function valuesOf(pairs: readonly Pair[], side: keyof Pair, key: string): number[] {
  return pairs.map((pair) => {
    const value = pair[side][key]
    if (value === undefined || !Number.isFinite(value))
      throw new Error(`${key} was not measured ${side} the mechanism.`)
    return value
  })
}

/** With / without, of each pair by itself: two rounds that were measured one right after the other. */
export function ratiosOf(pairs: readonly Pair[], key: string): number[] {
  const without = valuesOf(pairs, 'without', key)
  return valuesOf(pairs, 'with', key).map((value, index) => value / (without[index] ?? Number.NaN))
}
