/** Requests of one kind that may share steps: how long steps take, how often requests come, and when each has to be done. */
import { Random } from '../random.ts'

export interface BatchWorkload {
  readonly name: string
  /** A step of b states takes baseMs + b * stateMs. */
  readonly baseMs: number
  readonly stateMs: number
  readonly statesMax: number
  readonly withinMs: number
  /** Mean. */
  readonly gapMs: number
  /** One device for all of them; else there is one for every step. */
  readonly isScarce: boolean
  /** From the middle on steps take so many times as long. */
  readonly drift: number
}

interface Kind extends Pick<BatchWorkload, 'name' | 'baseMs' | 'stateMs'> {}

const kinds: readonly Kind[] = [
  { name: 'small encoder', baseMs: 4, stateMs: 0.25 },
  { name: 'encoder', baseMs: 10, stateMs: 1 },
  { name: 'classifier', baseMs: 8, stateMs: 4 },
  { name: 'upscaler', baseMs: 30, stateMs: 60 },
  { name: 'UNet step', baseMs: 5, stateMs: 40 },
]

const statesMax = 32
const scarceLoad = 0.9

/** Every kind, seldom and often asked for, with near and far deadlines; then with one device that is busy for nine tenths of its time. */
export function batchWorkloads(drift = 1): readonly BatchWorkload[] {
  return [...kinds.flatMap((kind) => withSpareDevices(kind, drift)), ...kinds.map((kind) => onOneDevice(kind, drift))]
}

function withSpareDevices(kind: Kind, drift: number): BatchWorkload[] {
  const aloneMs = kind.baseMs + kind.stateMs
  return [10, 50].flatMap((patience) =>
    // In the time that a request may wait come so many others.
    [2, 8].map((others) => ({
      ...kind,
      name: `${kind.name}, deadline ${patience} x, ${others} others`,
      statesMax,
      withinMs: patience * aloneMs,
      gapMs: (patience * aloneMs) / others,
      isScarce: false,
      drift,
    })),
  )
}

/** Nine tenths of what the device can do in steps of nearly the best rate. */
function onOneDevice(kind: Kind, drift: number): BatchWorkload {
  const { baseMs, stateMs } = kind
  const rate = (states: number) => states / (baseMs + stateMs * states)
  let states = 1
  while (states < statesMax && rate(states) < 0.95 * rate(statesMax)) states += 1
  return {
    ...kind,
    name: `${kind.name}, one device`,
    statesMax,
    withinMs: 8 * drift * (baseMs + stateMs * states),
    gapMs: (drift * 1) / (scarceLoad * rate(states)),
    isScarce: true,
    drift,
  }
}

export function arrivalsOf({ gapMs }: BatchWorkload, requests: number, seed: number): readonly number[] {
  const random = new Random(seed)
  let at = 0
  return Array.from({ length: requests }, () => {
    at += random.gap(gapMs)
    return at
  })
}
