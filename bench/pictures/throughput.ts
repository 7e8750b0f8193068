/**
 * Pictures of 8 to 30 steps in mixed company, made in three ways: in steps that each picture joins and leaves as it comes and goes, one after the
 * other, and in batches of whole jobs. By callers that wait for theirs, and as strangers ask. The same pictures for all three, in turn.
 */
import type { Figure, RunSettings } from '../harness/benchmark.ts'
import { type LoopResult, measureSeries, plan } from '../harness/rounds.ts'
import { asTheyCome, byCallers } from './arrivals.ts'
import { BatchGate } from './batch-gate.ts'
import type { ComponentRuns } from './component-curves.ts'
import type { CurvePoint } from './cost-curve.ts'
import { crowds, type Way } from './crowds.ts'
import { model, modelAlone } from './models.ts'
import { allowedPerSecond, type BatchLimits, type Curves, cheapestRuns, parts } from './picture-costs.ts'
import type { Studio } from './studio.ts'
import { throughputFigures, type WayRound } from './throughput-figures.ts'
import { drawPictures, meanSteps, type WantedPicture } from './wanted-pictures.ts'

const quickPictures = 2
/** Of what the curves allow: there is always a queue now and then, and never one that only grows. */
const randomLoad = 0.7

export async function measureThroughput(
  settings: RunSettings,
  studio: Studio,
  runs: ComponentRuns,
  curves: Curves,
  limits: BatchLimits,
): Promise<Figure[]> {
  const figures: Figure[] = []
  const together = limits.denoise ?? 1
  for (const [index, crowd] of crowds.entries()) {
    const best = cheapestRuns(curves, limits, crowd.callers ?? together)
    const rounds = await measureSeries(plan(settings, { series: 1, roundsPerSeries: 2 }), async (round) => {
      const drawn = drawPictures(crowd.pictures, 100 * index + round)
      const pictures = settings.isQuick ? drawn.slice(0, quickPictures) : drawn
      const meanGapMs = 1000 / (randomLoad * allowedPerSecond(best, meanSteps(pictures)))
      const measured = await measureRound(round % 2 === 0 ? crowd.ways : crowd.ways.toReversed(), (way) => {
        const make = makerOf(studio, way, together)
        const ask = () =>
          crowd.callers === null ? asTheyCome(meanGapMs, pictures, make) : byCallers(crowd.callers, pictures, make)
        return { ask: () => settings.quiet.round(ask), allowed: () => allowedNow(runs, best, meanSteps(pictures)) }
      })
      settings.say(`${crowd.who}: ${describe(measured)}`)
      return measured
    })
    figures.push(...throughputFigures(crowd, rounds))
  }
  return figures
}

/** The machine gets faster and slower, so what the curves allow is measured right before what is compared with it, and right after. */
async function measureRound(
  ways: readonly Way[],
  of: (way: Way) => { readonly ask: () => Promise<LoopResult>; readonly allowed: () => Promise<number> },
): Promise<WayRound> {
  const loops: Partial<Record<Way, LoopResult>> = {}
  let allowed = Number.NaN
  for (const way of ways) {
    const measured = of(way)
    if (way !== 'continuous') {
      loops[way] = await measured.ask()
      continue
    }
    const before = await measured.allowed()
    loops[way] = await measured.ask()
    allowed = (before + (await measured.allowed())) / 2
  }
  return { allowed, ways: loops }
}

async function allowedNow(runs: ComponentRuns, best: readonly CurvePoint[], steps: number): Promise<number> {
  const measured: CurvePoint[] = []
  for (const [index, { component }] of parts.entries())
    measured.push(await runs.measure(component, (best[index] as CurvePoint).rows))
  return allowedPerSecond(measured, steps)
}

function makerOf(studio: Studio, way: Way, together: number) {
  const make = ({ steps }: WantedPicture) => studio.make({ model: way === 'alone' ? modelAlone : model, steps })
  if (way !== 'batches') return make
  const gate = new BatchGate(together)
  return (picture: WantedPicture) => gate.pass(() => make(picture))
}

function describe({ allowed, ways }: WayRound): string {
  const rates = Object.entries(ways).map(([way, { perSecond }]) => `${way} ${perSecond.toFixed(2)}/s`)
  return `${rates.join(', ')}; the curves allow ${allowed.toFixed(2)}/s`
}
