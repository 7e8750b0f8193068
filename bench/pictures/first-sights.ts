/** When a caller sees something of a picture: the first preview, the last step, the picture; and what previews cost. */
import { submit } from '../clients/jobs.ts'
import { followPictures, type PictureWish, pictureJob } from '../clients/pictures.ts'
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { measureSeries, pick, plan } from '../harness/rounds.ts'
import type { Studio } from './studio.ts'

const steps = 20
const previews = { everySteps: 5, maxWidth: 256 }

interface Sights {
  readonly firstPreviewMs: number
  readonly lastStepMs: number
  readonly pictureMs: number
}

export async function measureSights(settings: RunSettings, studio: Studio): Promise<Figure[]> {
  const rounds = await measureSeries(plan(settings, { series: 1, roundsPerSeries: 7 }), () =>
    settings.quiet.round(async () => {
      const round = { without: await watch(studio, { steps }), with: await watch(studio, { steps, previews }) }
      settings.say(
        `first preview ${round.with.firstPreviewMs.toFixed(0)} ms, picture ${round.with.pictureMs.toFixed(0)} ms`,
      )
      return round
    }),
  )
  const ratio = { unit: 'ratio', better: 'lower' } as const
  const what = `a picture of ${steps} steps with previews`
  return [
    figure(
      { id: 'pictures.sight.total', what: `${what}, until it is there`, unit: 'ms', better: 'lower' },
      pick(rounds, ({ with: { pictureMs } }) => pictureMs),
    ),
    figure(
      {
        id: 'pictures.sight.first',
        what: `${what}, its first preview, of the whole time`,
        ...ratio,
        goal: { atMost: 0.5 },
        note: `previews were asked for every ${previews.everySteps} steps.`,
      },
      pick(rounds, ({ with: { firstPreviewMs, pictureMs } }) => firstPreviewMs / pictureMs),
    ),
    figure(
      {
        id: 'pictures.sight.final',
        what: `${what}, from the last step to the picture (decoded, checked, written, durable), of the whole time`,
        ...ratio,
      },
      pick(rounds, ({ with: { lastStepMs, pictureMs } }) => (pictureMs - lastStepMs) / pictureMs),
    ),
    figure(
      {
        id: 'pictures.sight.cost',
        what: `${what}, to one without`,
        ...ratio,
        goal: { atMost: 1.15 },
        note: 'previews may take 15 % of the time of the steps; where they would take more, they come at longer intervals.',
      },
      [pick(rounds, (round) => round.with.pictureMs / round.without.pictureMs).flat()],
    ),
  ]
}

async function watch(studio: Studio, wish: Omit<PictureWish, 'seed'>): Promise<Sights> {
  const times = new Map<string, number>()
  const startedAt = performance.now()
  const id = await submit(studio.socket, pictureJob(studio.newWish(wish)))
  await followPictures(studio.socket, id, ({ __typename }) => {
    const isKnown = __typename === 'PreviewReady' && times.has(__typename)
    if (!isKnown) times.set(__typename, performance.now() - startedAt)
  })
  const time = (kind: string) => times.get(kind) ?? Number.NaN
  if (!times.has('JobSucceeded')) throw new Error(`Job ${id} made no picture.`)
  if (wish.previews && !times.has('PreviewReady')) throw new Error(`Job ${id} showed no preview.`)
  return {
    firstPreviewMs: time('PreviewReady'),
    lastStepMs: time('StepCompleted'),
    pictureMs: time('JobSucceeded'),
  }
}
