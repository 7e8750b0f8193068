/**
 * The best that eviction alone could do, by three rules that know the future (Belady 1966, and two for models of different size and cost): whoever is
 * used again last goes, or whoever has most of size x distance, or of size x distance / load time. Each is feasible: every request finds its model
 * loaded, nothing is loaded before it is asked for. None is best everywhere, so the best of the three is what others are compared with.
 */
import type { Workload } from '../traces/workload.ts'
import { loadMsFrom, nextUses } from './future.ts'

const clairvoyantRules = ['next use', 'next use x size', 'next use x size / load time'] as const
export type ClairvoyantRule = (typeof clairvoyantRules)[number]

export interface ClairvoyantResult {
  readonly rule: ClairvoyantRule
  /** Of the load times of all requests that count, what needed no load. */
  readonly costSavedRatio: number
  readonly hitRatio: number
  readonly byteHitRatio: number
  /** Of requests that count. */
  readonly loads: number
}

/** One memory. The first `warmupRows` requests are served and do not count. Models that do not fit into it are left out. */
export function bestClairvoyant(workload: Workload, memoryBytes: number, warmupRows: number): ClairvoyantResult {
  const next = nextUses(workload)
  const [first, ...others] = clairvoyantRules.map((rule) => serve(workload, memoryBytes, warmupRows, next, rule))
  if (!first) throw new Error('There is no rule.')
  return others.reduce((best, each) => (each.costSavedRatio > best.costSavedRatio ? each : best), first)
}

interface Resident {
  readonly model: number
  readonly sizeBytes: number
  readonly loadMs: number
  nextUse: number
}

function serve(
  workload: Workload,
  memoryBytes: number,
  warmupRows: number,
  next: Float64Array,
  rule: ClairvoyantRule,
): ClairvoyantResult {
  const { requests, models } = workload
  const residents = new Map<number, Resident>()
  let usedBytes = 0
  const counted = { requests: 0, hits: 0, bytes: 0, hitBytes: 0, savedMs: 0 }
  for (const [index, { model }] of requests.entries()) {
    const { sizeBytes = 0, loadMs = 0 } = models[model] ?? {}
    if (sizeBytes > memoryBytes) continue
    const there = residents.get(model)
    const nextUse = next[index] ?? Number.POSITIVE_INFINITY
    if (index >= warmupRows) {
      counted.requests += 1
      counted.bytes += sizeBytes
      if (there) {
        counted.hits += 1
        counted.hitBytes += sizeBytes
        counted.savedMs += loadMs
      }
    }
    if (there) {
      there.nextUse = nextUse
      continue
    }
    while (usedBytes + sizeBytes > memoryBytes) {
      const victim = leastNeeded(residents, index, rule)
      residents.delete(victim.model)
      usedBytes -= victim.sizeBytes
    }
    residents.set(model, { model, sizeBytes, loadMs, nextUse })
    usedBytes += sizeBytes
  }
  const loadMs = loadMsFrom(workload, warmupRows)
  return {
    rule,
    costSavedRatio: loadMs === 0 ? 0 : counted.savedMs / loadMs,
    hitRatio: counted.requests === 0 ? 0 : counted.hits / counted.requests,
    byteHitRatio: counted.bytes === 0 ? 0 : counted.hitBytes / counted.bytes,
    loads: counted.requests - counted.hits,
  }
}

function leastNeeded(residents: ReadonlyMap<number, Resident>, index: number, rule: ClairvoyantRule): Resident {
  let least: Resident | undefined
  let most = Number.NEGATIVE_INFINITY
  for (const resident of residents.values()) {
    const ease = spareOf(resident, index, rule)
    if (ease <= most) continue
    least = resident
    most = ease
  }
  if (!least) throw new Error('Nothing is resident, and yet there is no room.')
  return least
}

/** How little is lost with it. */
function spareOf({ nextUse, sizeBytes, loadMs }: Resident, index: number, rule: ClairvoyantRule): number {
  const distance = nextUse - index
  if (rule === 'next use') return distance
  return rule === 'next use x size' ? distance * sizeBytes : (distance * sizeBytes) / Math.max(1, loadMs)
}
