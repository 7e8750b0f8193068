/** What a run costs by its rows, and what follows from it. Pure. */
export interface CurvePoint {
  readonly rows: number
  readonly runMs: number
}

/** More rows are worth their time up to here. */
const kneeShare = 0.95

export function rowsPerSecond({ rows, runMs }: CurvePoint): number {
  return (rows / runMs) * 1000
}

/** The fewest rows that reach 95 % of the best rate. */
export function kneeOf(curve: readonly CurvePoint[]): number {
  const best = Math.max(...curve.map(rowsPerSecond))
  const enough = curve.filter((point) => rowsPerSecond(point) >= kneeShare * best)
  return Math.min(...enough.map(({ rows }) => rows))
}

/** Where a row costs least, of runs with at most so many. Throws where there is none so small. */
export function cheapest(curve: readonly CurvePoint[], rowsMax: number): CurvePoint {
  const [first, ...others] = curve.filter(({ rows }) => rows <= rowsMax)
  if (first === undefined) throw new Error(`No run of at most ${rowsMax} rows was measured.`)
  return others.reduce((best, point) => (rowsPerSecond(point) > rowsPerSecond(best) ? point : best), first)
}
