/** Whether a process grows: the slope of its private memory over the last minutes, by least squares. */
import type { Millis } from '../ids.ts'

export interface MemorySample {
  readonly at: Millis
  readonly bytes: number
}

/** Enough for some minutes: samples closer to each other than this replace each other. */
const sampleGapMs = 10_000
const samplesMax = 60
/** Fewer, or over less time, say nothing. */
const samplesMin = 4
const spanMsMin = 120_000
const msPerMinute = 60_000

export function noteMemory(samples: MemorySample[], at: Millis, bytes: number): void {
  const [before, last] = samples.slice(-2)
  if (before && last && last.at - before.at < sampleGapMs) samples.pop()
  samples.push({ at, bytes })
  if (samples.length > samplesMax) samples.shift()
}

/** Bytes per minute; null = too little is known. It is told of a process only when it has changed, so that what it had last it has still. */
export function growthOf(samples: readonly MemorySample[], now: Millis): number | null {
  const [first] = samples
  const last = samples.at(-1)
  if (!first || !last || samples.length < samplesMin || now - first.at < spanMsMin) return null
  return slopeOf([...samples, { at: now, bytes: last.bytes }]) * msPerMinute
}

function slopeOf(samples: readonly MemorySample[]): number {
  const meanAt = mean(samples.map(({ at }) => at))
  const meanBytes = mean(samples.map(({ bytes }) => bytes))
  let products = 0
  let squares = 0
  for (const { at, bytes } of samples) {
    products += (at - meanAt) * (bytes - meanBytes)
    squares += (at - meanAt) ** 2
  }
  return squares === 0 ? 0 : products / squares
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
