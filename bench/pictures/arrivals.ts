/** Pictures asked for by so many callers, each the next when it has the last; or as they come, whoever is still waiting. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LoopResult } from '../harness/rounds.ts'
import type { WantedPicture } from './wanted-pictures.ts'

type Make = (picture: WantedPicture) => Promise<void>

/** The rate is over all of them, until the last has ended. */
export async function byCallers(callers: number, pictures: readonly WantedPicture[], make: Make): Promise<LoopResult> {
  const left = pictures.values()
  return timed(async (clock) => {
    const caller = async () => {
      // Callers share the iterator: each takes the next that nobody has.
      for (const picture of left) await clock(performance.now(), () => make(picture))
    }
    await Promise.all(Array.from({ length: callers }, caller))
  })
}

/** Latencies count from when a picture was due, not from when this process found the time to ask. */
export async function asTheyCome(
  meanGapMs: number,
  pictures: readonly WantedPicture[],
  make: Make,
): Promise<LoopResult> {
  return timed(async (clock) => {
    let dueAt = performance.now()
    const asked: Promise<void>[] = []
    for (const picture of pictures) {
      dueAt += picture.gap * meanGapMs
      await sleep(Math.max(0, dueAt - performance.now()))
      asked.push(clock(dueAt, () => make(picture)))
    }
    await Promise.all(asked)
  })
}

type Clock = (since: number, work: () => Promise<void>) => Promise<void>

async function timed(run: (clock: Clock) => Promise<void>): Promise<LoopResult> {
  const latenciesMs: number[] = []
  const startedAt = performance.now()
  await run(async (since, work) => {
    await work()
    latenciesMs.push(performance.now() - since)
  })
  return { perSecond: (latenciesMs.length / (performance.now() - startedAt)) * 1000, latenciesMs }
}
