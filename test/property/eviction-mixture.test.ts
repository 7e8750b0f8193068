import { describe, expect, test } from 'vitest'
import { Random } from '../../src/simulator/random.ts'
import { type Model, ServedCache } from '../unit/scheduler/eviction/served-cache.ts'

interface Request {
  readonly model: number
  readonly afterMs: number
}

/** Of three sizes, loaded as fast as they are read. */
function modelOf(model: number): Model {
  const bytes = [25, 68, 120][model % 3] ?? 25
  return { bytes, loadMs: 3000 + 300 * bytes }
}

function lossOf(eviction: 'lru' | 'hedge', limitBytes: number, requests: readonly Request[]): number {
  const cache = new ServedCache(eviction, limitBytes)
  for (const { model, afterMs } of requests) cache.after(afterMs).ask(model, modelOf(model))
  return cache.loadedMs
}

/** What is asked for is drawn by rank: popular models much more often than others. */
function drawn(seed: number, count: number, rankOf: (model: number, index: number) => number): Request[] {
  const random = new Random(seed)
  const models = 40
  return Array.from({ length: count }, (_, index) => {
    const rank = Math.min(models - 1, Math.floor(models ** random.fraction()) - 1)
    return { model: rankOf(rank, index), afterMs: random.fraction() * 40_000 }
  })
}

describe('the mixture of policies costs at most 2 % more loading than LRU', () => {
  const limits = [240, 480, 960]
  const workloads: Record<string, readonly Request[]> = {
    'where some models are popular': drawn(1, 3000, (rank) => rank),
    'where popularity shifts half way': drawn(2, 3000, (rank, index) => (index < 1500 ? rank : 39 - rank)),
    'where popularity drifts': drawn(3, 3000, (rank, index) => (rank + Math.floor(index / 200)) % 40),
    'where everything is asked for in a circle': Array.from({ length: 3000 }, (_, index) => ({
      model: index % 17,
      afterMs: 10_000,
    })),
    'where everything is as likely as everything else': drawn(4, 3000, () => 0).map((request, index) => ({
      ...request,
      model: (index * 7919) % 31,
    })),
  }
  for (const [name, requests] of Object.entries(workloads)) {
    test(name, () => {
      for (const limitBytes of limits)
        expect(lossOf('hedge', limitBytes, requests)).toBeLessThanOrEqual(1.02 * lossOf('lru', limitBytes, requests))
    })
  }
})
