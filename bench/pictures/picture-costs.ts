/** What a picture is made of, and how fast the measured curves allow pictures to be made. Pure. */
import { type CurvePoint, cheapest } from './cost-curve.ts'

/** A part of the way to a picture: rows of a component's runs. */
export interface Part {
  readonly node: string
  readonly component: string
  /** That one picture has in a run. */
  readonly rowsEach: number
  /** Runs for one picture. */
  readonly runsOf: (steps: number) => number
}

/** Guided: told what it is to be, and what it is to be unlike. Writing the file is no run of a component, and not in it. */
export const parts: readonly Part[] = [
  { node: 'encode', component: 'text_encoder', rowsEach: 2, runsOf: () => 1 },
  { node: 'denoise', component: 'unet', rowsEach: 2, runsOf: (steps) => steps },
  { node: 'decode', component: 'vae_decoder', rowsEach: 1, runsOf: () => 1 },
  { node: 'check', component: 'safety_checker', rowsEach: 1, runsOf: () => 1 },
]

export type Curves = Readonly<Record<string, readonly CurvePoint[]>>
/** States of each node that may share a step. */
export type BatchLimits = Readonly<Record<string, number>>

/** For each part the run at which a picture costs least, of up to `together` pictures and no more than its node lets share one. */
export function cheapestRuns(curves: Curves, limits: BatchLimits, together: number): CurvePoint[] {
  return parts.map(({ node, component, rowsEach }) => {
    const pictures = Math.min(together, limits[node] ?? 1)
    const runs = (curves[component] ?? []).filter(({ rows }) => rows >= rowsEach)
    return cheapest(runs, pictures * rowsEach)
  })
}

/** Pictures a second of such a number of steps (a mean), if every part ran so; one run for each part. */
export function allowedPerSecond(runs: readonly CurvePoint[], steps: number): number {
  const ms = parts.map(({ rowsEach, runsOf }, index) => {
    const { rows, runMs } = runs[index] as CurvePoint
    return (runsOf(steps) * runMs * rowsEach) / rows
  })
  return 1000 / ms.reduce((sum, each) => sum + each, 0)
}
