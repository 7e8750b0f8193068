/** A curve through means that may not rise everywhere, made to rise: neighbours that fall are pooled (isotonic regression, R. Barlow 1972). */

/** At `states`: between two means on the line between them, beyond the last one on with `slope`. `means`: sizes ascending, at least one. */
export function risingMeans(means: readonly (readonly [number, number])[], states: number, slope: number): number {
  const rising = pooled(means.map(([, ms]) => ms))
  let before: readonly [number, number] | null = null
  for (const [index, [size]] of means.entries()) {
    const ms = rising[index] ?? 0
    if (size >= states) {
      if (before === null || size === states) return ms
      return before[1] + ((states - before[0]) / (size - before[0])) * (ms - before[1])
    }
    before = [size, ms]
  }
  return before === null ? 0 : before[1] + slope * (states - before[0])
}

function pooled(values: readonly number[]): readonly number[] {
  const pools: { mean: number; count: number }[] = []
  for (const value of values) {
    let pool = { mean: value, count: 1 }
    for (let last = pools.at(-1); last && last.mean > pool.mean; last = pools.at(-1)) {
      const count = last.count + pool.count
      pool = { mean: (last.mean * last.count + pool.mean * pool.count) / count, count }
      pools.pop()
    }
    pools.push(pool)
  }
  return pools.flatMap(({ mean, count }) => Array.from({ length: count }, () => mean))
}
