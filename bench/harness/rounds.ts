/** Series of rounds, and closed loops: the shapes that most measurements have. */
import type { RunSettings } from './benchmark.ts'

export interface Plan {
  readonly series: number
  readonly roundsPerSeries: number
}

/** `full`, or one round of one series when only the benchmark itself is tried. */
export function plan({ isQuick }: RunSettings, full: Plan): Plan {
  return isQuick ? { series: 1, roundsPerSeries: 1 } : full
}

/** Values of `measure`, by series. */
export async function measureSeries<Value>(
  { series, roundsPerSeries }: Plan,
  measure: (round: number) => Promise<Value>,
): Promise<Value[][]> {
  const all: Value[][] = []
  for (let index = 0; index < series; index += 1) {
    const values: Value[] = []
    for (let round = 0; round < roundsPerSeries; round += 1) values.push(await measure(index * roundsPerSeries + round))
    all.push(values)
  }
  return all
}

/** One thing of each value, by series still. */
export function pick<Value, Part>(series: readonly (readonly Value[])[], part: (value: Value) => Part): Part[][] {
  return series.map((values) => values.map(part))
}

export interface LoopResult {
  readonly perSecond: number
  readonly latenciesMs: readonly number[]
}

/**
 * `clients` that each do the next `once` when the last is done, for `durationMs`. What has begun by then is awaited, but only
 * what ended within the time counts.
 */
export async function closedLoop(
  clients: number,
  durationMs: number,
  once: (client: number) => Promise<void>,
): Promise<LoopResult> {
  const latenciesMs: number[] = []
  const startedAt = performance.now()
  const endsAt = startedAt + durationMs
  const loop = async (client: number) => {
    for (let begunAt = performance.now(); begunAt < endsAt; begunAt = performance.now()) {
      await once(client)
      const endedAt = performance.now()
      if (endedAt <= endsAt) latenciesMs.push(endedAt - begunAt)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => loop(client)))
  return { perSecond: (latenciesMs.length / durationMs) * 1000, latenciesMs }
}
