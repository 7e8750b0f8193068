/** Closed loops against something that may be slow: warmed up, then measured for a moment. */
import type { RunSettings } from './benchmark.ts'
import { closedLoop, type LoopResult } from './rounds.ts'
import { quantile } from './statistics.ts'

const warmUpMs = 250
const quickMsMax = 600

/**
 * All that begins within `roundMs` counts, over the time until the last of it has ended: the naive way of something may be so slow that little or
 * nothing would end within the round.
 */
export async function warmLoop(
  { isQuick }: Pick<RunSettings, 'isQuick'>,
  clients: number,
  roundMs: number,
  once: (client: number) => Promise<void>,
): Promise<LoopResult> {
  await closedLoop(clients, warmUpMs, once)
  const latenciesMs: number[] = []
  const startedAt = performance.now()
  await closedLoop(clients, isQuick ? Math.min(roundMs, quickMsMax) : roundMs, async (client) => {
    const begunAt = performance.now()
    await once(client)
    latenciesMs.push(performance.now() - begunAt)
  })
  return { perSecond: (latenciesMs.length / (performance.now() - startedAt)) * 1000, latenciesMs }
}

export function p50({ latenciesMs }: LoopResult): number {
  return quantile(latenciesMs, 0.5)
}
