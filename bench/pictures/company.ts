/** Pictures that somebody waits for, beside a job of many that nobody does: how much longer they take, and how often a running step gave way. */
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../ablation/random.ts'
import { submit } from '../clients/jobs.ts'
import { ask, followPictures, pictureJob } from '../clients/pictures.ts'
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { measureSeries, pick, plan } from '../harness/rounds.ts'
import { median } from '../harness/statistics.ts'
import type { Studio } from './studio.ts'

const pictures = 8
const quickPictures = 2
const steps = 20
const waitMsMax = 300
/** The first task of a picture is told of when its only step has ended, which takes a few milliseconds. */
const rightBeforeMs = 15
/** More than is done of it while the others are made. */
const batchWish = { steps: 50, count: 16, priorityClass: 'BATCH' } as const

interface Asked {
  readonly submittedAt: number
  readonly startedAt: number
  readonly latencyMs: number
}

export async function measureCompany(settings: RunSettings, studio: Studio): Promise<Figure[]> {
  const random = randomFrom(2)
  const count = settings.isQuick ? quickPictures : pictures
  const rounds = await measureSeries(plan(settings, { series: 1, roundsPerSeries: 2 }), async () => {
    const alone = await settings.quiet.round(() => askOneByOne(studio, count, random))
    const beside = await settings.quiet.round(() => besideBatch(studio, () => askOneByOne(studio, count, random)))
    const gaveWay = beside.asked.filter(({ startedAt }) => hasGivenWay(beside.stepEnds, startedAt)).length
    settings.say(
      `interactive alone ${ms(alone)} ms, beside batch work ${ms(beside.asked)} ms, ${gaveWay} of ${count} steps gave way`,
    )
    return { alone, beside: beside.asked, gaveWay, batchSteps: beside.stepEnds.length }
  })
  const latency = { unit: 'ms', better: 'lower' } as const
  const what = `an interactive picture of ${steps} steps`
  return [
    figure(
      { id: 'pictures.company.alone', what: `${what} alone, mean`, ...latency },
      pick(rounds, ({ alone }) => mean(alone)),
    ),
    figure(
      { id: 'pictures.company.beside', what: `${what} beside a batch of ${batchWish.count}, mean`, ...latency },
      pick(rounds, ({ beside }) => mean(beside)),
    ),
    figure({ id: 'pictures.company.ratio', what: `${what}, beside a batch to alone`, unit: 'ratio', better: 'lower' }, [
      pick(rounds, ({ alone, beside }) => mean(beside) / mean(alone)).flat(),
    ]),
    figure(
      { id: 'pictures.company.start', what: `${what} beside a batch, until it begins, median`, ...latency },
      pick(rounds, ({ beside }) => median(beside.map(({ submittedAt, startedAt }) => startedAt - submittedAt))),
    ),
    figure(
      {
        id: 'pictures.company.gave-way',
        what: `steps of the batch that gave way to ${count} pictures`,
        unit: 'steps',
        better: 'higher',
        note: `at least: as events tell, where no step of the batch ended in the ${rightBeforeMs} ms before a picture began. Its later tasks may interrupt steps too, which is not seen from outside.`,
      },
      pick(rounds, ({ gaveWay }) => gaveWay),
    ),
    figure(
      {
        id: 'pictures.company.batch',
        what: 'steps of the batch that ended meanwhile',
        unit: 'steps',
        better: 'higher',
      },
      pick(rounds, ({ batchSteps }) => batchSteps),
    ),
  ]
}

/** Whether a step of the batch was interrupted for a picture that then began: none had ended right before. May miss one, and makes up none. */
export function hasGivenWay(stepEnds: readonly number[], startedAt: number): boolean {
  return !stepEnds.some((endedAt) => endedAt >= startedAt - rightBeforeMs && endedAt <= startedAt)
}

async function askOneByOne(studio: Studio, count: number, random: () => number): Promise<Asked[]> {
  const all: Asked[] = []
  for (let picture = 0; picture < count; picture += 1) {
    await sleep(random() * waitMsMax)
    all.push(await askOnce(studio))
  }
  return all
}

async function askOnce(studio: Studio): Promise<Asked> {
  let startedAt = Number.NaN
  const submittedAt = Date.now()
  const begunAt = performance.now()
  const id = await submit(studio.socket, pictureJob(studio.newWish({ steps, priorityClass: 'INTERACTIVE' })))
  await followPictures(studio.socket, id, ({ __typename, at }) => {
    if (__typename === 'JobStarted') startedAt = at
  })
  return { submittedAt, startedAt, latencyMs: performance.now() - begunAt }
}

/** While a batch is being made, which is cancelled afterwards. */
async function besideBatch(studio: Studio, work: () => Promise<Asked[]>) {
  const stepEnds: number[] = []
  const isRunning = Promise.withResolvers<void>()
  const id = await submit(studio.socket, pictureJob(studio.newWish(batchWish)))
  const followed = followPictures(studio.socket, id, ({ __typename, at }) => {
    if (__typename !== 'StepCompleted') return
    stepEnds.push(at)
    isRunning.resolve()
  })
  await isRunning.promise
  const asked = await work()
  await ask(studio.socket, 'cancelJob', id)
  await followed
  return { asked, stepEnds }
}

function mean(asked: readonly Asked[]): number {
  return asked.reduce((sum, { latencyMs }) => sum + latencyMs, 0) / asked.length
}

function ms(asked: readonly Asked[]): string {
  return mean(asked).toFixed(0)
}
