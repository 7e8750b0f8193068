/**
 * How long a step of b states lasts: l(b) = baseMs + b * stateMs, by recursive least squares in which older steps weigh less and less
 * (L. Ljung, System Identification, chapter 11). Errors count in proportion to what was expected, because long steps vary more. Where steps do not
 * lie on a line, their means by size are used instead, made to rise with the size.
 */
import { blend } from '../learning/blend.ts'
import { risingMeans } from './rising-means.ts'

/** Plain values: it goes into snapshots as it is. */
export interface BatchCurve {
  baseMs: number
  stateMs: number
  /** Of both, and of one with the other. */
  covariance: [base: number, state: number, mixed: number]
  steps: number
  /** Of what was expected, as a share of it: the mean size of errors, and their mean with its sign. */
  error: number
  drift: number
  /** States and mean milliseconds, ascending. */
  readonly means: [states: number, ms: number][]
}

const forgetting = 0.995
const errorRate = 0.1
const driftRate = 0.3
/** Beyond this the curve has moved as a whole, and is learnt anew from where it was. */
const driftMax = 0.2
/** Above this error steps do not lie on a line. */
const straightErrorMax = 0.1
/** What is thought possible at first, in multiples of the first step. */
const doubt = 10
const stepsToDrift = 8
const sizesMax = 32
/** As many steps of the same size in one report as are told apart. */
const weightMax = 10

export function createCurve(states: number, ms: number): BatchCurve {
  const curve: BatchCurve = {
    baseMs: ms / 2,
    stateMs: ms / 2 / states,
    covariance: [0, 0, 0],
    steps: 0,
    error: 0,
    drift: 0,
    means: [],
  }
  doubtAll(curve, states, ms)
  return curve
}

/** `steps` steps of so many states lasted `ms` each, on average. */
export function learnStep(curve: BatchCurve, states: number, ms: number, steps: number): void {
  const expectedMs = Math.max(straightMs(curve, states), Number.EPSILON)
  const error = (ms - expectedMs) / expectedMs
  if (curve.steps > 0) curve.drift = blend(curve.drift, Math.max(-1, Math.min(1, error)), driftRate)
  if (curve.steps >= stepsToDrift && Math.abs(curve.drift) > driftMax) {
    doubtAll(curve, states, ms)
    curve.drift = 0
    curve.means.length = 0
  }
  fit(curve, states, ms, Math.min(steps, weightMax), expectedMs)
  const left = Math.abs(ms - straightMs(curve, states)) / Math.max(ms, Number.EPSILON)
  curve.error = curve.steps === 0 ? left : blend(curve.error, left, errorRate)
  curve.steps += steps
  noteMean(curve, states, ms)
}

/** Steps of several sizes are known, so that something can be said of others. */
export function isKnown({ steps, means }: BatchCurve): boolean {
  return steps >= stepsToDrift && means.length > 1
}

/** A line that steps hardly exceed: the curve where it is known; until then, that no state makes a step longer than the ones that were seen. */
export function stepLine(curve: BatchCurve): { readonly baseMs: number; readonly stateMs: number } {
  if (isKnown(curve)) return { baseMs: Math.max(0, curve.baseMs), stateMs: Math.max(0, curve.stateMs) }
  return { baseMs: 0, stateMs: Math.max(0, ...curve.means.map(([states, ms]) => ms / states)) }
}

export function expectedMs(curve: BatchCurve, states: number): number {
  if (curve.error <= straightErrorMax || curve.means.length < 3) return straightMs(curve, states)
  return risingMeans(curve.means, states, Math.max(0, curve.stateMs))
}

export function largestSeen({ means }: BatchCurve): number {
  return means.at(-1)?.[0] ?? 0
}

/** Neither of the two is negative, whatever noise says. */
function straightMs({ baseMs, stateMs }: BatchCurve, states: number): number {
  return Math.max(0, baseMs) + Math.max(0, stateMs) * states
}

function fit(curve: BatchCurve, states: number, ms: number, weight: number, scaleMs: number): void {
  const [base, state, mixed] = curve.covariance
  const [x, y] = [1 / scaleMs, states / scaleMs]
  const [ofBase, ofState] = [base * x + mixed * y, mixed * x + state * y]
  const spread = x * ofBase + y * ofState
  // While steps are all of one size nothing is learnt of the slope, and doubt must not grow without bound.
  const isVague = base > (doubt * scaleMs) ** 2 || state > ((doubt * scaleMs) / states) ** 2
  const keep = isVague ? 1 : forgetting ** weight
  const gain = keep / weight + spread
  const error = ms / scaleMs - (x * curve.baseMs + y * curve.stateMs)
  curve.baseMs += (ofBase / gain) * error
  curve.stateMs += (ofState / gain) * error
  curve.covariance = [
    (base - (ofBase * ofBase) / gain) / keep,
    (state - (ofState * ofState) / gain) / keep,
    (mixed - (ofBase * ofState) / gain) / keep,
  ]
}

function doubtAll(curve: BatchCurve, states: number, ms: number): void {
  curve.covariance = [(doubt * ms) ** 2, ((doubt * ms) / states) ** 2, 0]
}

function noteMean({ means }: BatchCurve, states: number, ms: number): void {
  const place = means.findIndex(([size]) => size >= states)
  const known = means[place]
  if (known?.[0] === states) known[1] = blend(known[1], ms, errorRate)
  else if (means.length < sizesMax) means.splice(place < 0 ? means.length : place, 0, [states, ms])
}
