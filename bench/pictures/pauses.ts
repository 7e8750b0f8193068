/** How long a pause takes: from the wish, to when the server hears that the step is over, and to when the caller does. */
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from '../ablation/random.ts'
import { submit } from '../clients/jobs.ts'
import { ask, followPictures, type PictureEvent, pictureJob } from '../clients/pictures.ts'
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { measureSeries, plan } from '../harness/rounds.ts'
import { quantile } from '../harness/statistics.ts'
import type { Studio } from './studio.ts'

const pausesPerJob = 10
const quickPauses = 2
/** So many that the job is never done before it has been paused as often as it shall be. */
const steps = 100
const waitMsMax = 100
/** The default of the models' limits, and what a busy machine may add to it. */
const interruptMsMax = 5 + 20

interface Pause {
  /** Until the server heard that the task is left out of steps: then its worker computes for others. */
  readonly freeMs: number
  readonly toldMs: number
}

/** @param stepMs of one picture alone, as the cost curve has it. */
export async function measurePauses(settings: RunSettings, studio: Studio, stepMs: number): Promise<Figure[]> {
  const random = randomFrom(1)
  const pauses = await measureSeries(plan(settings, { series: 1, roundsPerSeries: 10 }), () =>
    settings.quiet.round(() => pauseOften(studio, settings.isQuick ? quickPauses : pausesPerJob, random)),
  )
  const all = pauses.flat(2)
  const at = (share: number, of: (pause: Pause) => number) => [[quantile(all.map(of), share)]]
  const free = ({ freeMs }: Pause) => freeMs
  const told = ({ toldMs }: Pause) => toldMs
  const head = { unit: 'ms', better: 'lower' } as const
  const what = `of ${all.length} pauses, from the request`
  settings.say(`${all.length} pauses; a step of one picture takes ${stepMs.toFixed(1)} ms`)
  return [
    figure({ id: 'pictures.pause.step', what: 'a step of one picture alone, by the cost curve', ...head }, [[stepMs]]),
    figure({ id: 'pictures.pause.free.p50', what: `${what} until the worker is free, p50`, ...head }, at(0.5, free)),
    figure(
      {
        id: 'pictures.pause.free.p99',
        what: `${what} until the worker is free, p99`,
        ...head,
        goal: { atMost: Number(Math.min(stepMs, interruptMsMax).toFixed(1)) },
        note: `the goal is one step or ${interruptMsMax} ms, whichever is less; the wish is durable first. When the worker was free is read from the time of JobPaused, which is cut to milliseconds.`,
      },
      at(0.99, free),
    ),
    figure(
      { id: 'pictures.pause.told.p50', what: `${what} until the caller has JobPaused, p50`, ...head },
      at(0.5, told),
    ),
    figure(
      { id: 'pictures.pause.told.p99', what: `${what} until the caller has JobPaused, p99`, ...head },
      at(0.99, told),
    ),
  ]
}

/** One job, paused again and again at moments that are drawn; cancelled in the end. */
async function pauseOften(studio: Studio, count: number, random: () => number): Promise<Pause[]> {
  const { socket } = studio
  const id = await submit(socket, pictureJob(studio.newWish({ steps })))
  const events = new EventWaits()
  const followed = followPictures(socket, id, (event) => events.take(event)).finally(() => events.end())
  await events.next('StepCompleted')
  const pauses: Pause[] = []
  for (let pause = 0; pause < count; pause += 1) {
    await sleep(random() * waitMsMax)
    const isPaused = events.next('JobPaused')
    const askedAt = performance.timeOrigin + performance.now()
    const [{ at }] = await Promise.all([isPaused, ask(socket, 'pauseJob', id)])
    pauses.push({ freeMs: at - askedAt, toldMs: (await isPaused).takenAt - askedAt })
    const goesOn = events.next('StepCompleted')
    await ask(socket, 'resumeJob', id)
    await goesOn
  }
  await ask(socket, 'cancelJob', id)
  await followed
  return pauses
}

interface TakenEvent extends PictureEvent {
  readonly takenAt: number
}

class EventWaits {
  readonly #waits = new Map<string, PromiseWithResolvers<TakenEvent>>()

  take(event: PictureEvent): void {
    this.#waits.get(event.__typename)?.resolve({ ...event, takenAt: performance.timeOrigin + performance.now() })
    this.#waits.delete(event.__typename)
  }

  /** The next of that kind; one who waits for each. */
  next(kind: string): Promise<TakenEvent> {
    const wait = Promise.withResolvers<TakenEvent>()
    this.#waits.set(kind, wait)
    return wait.promise
  }

  /** There are no more. */
  end(): void {
    for (const [kind, { reject }] of this.#waits) reject(new Error(`The job ended without ${kind}.`))
  }
}
