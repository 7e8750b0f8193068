/** Ways in which a worker fails while it runs many jobs, and what becomes of these. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { GraphQLSocket } from '../clients/graphql-socket.ts'
import { follow, submit } from '../clients/jobs.ts'
import { type NoopParameters, noopJob } from '../clients/noop-job.ts'
import { listWorkers, type WorkerFacts } from '../clients/workers.ts'
import { until } from '../harness/until.ts'

/** exit, stop: the process is killed or stopped from outside. hang, spin: a step of one of the jobs never ends, and does nothing or computes. */
export const failures = ['exit', 'stop', 'hang', 'spin'] as const
export type Failure = (typeof failures)[number]

export interface Trial {
  /** From the failure until each job that ran there had been told that it is queued again. */
  readonly requeuedMs: readonly number[]
  /** From the failure until the first of them ran again. */
  readonly againMs: number
  readonly ids: readonly string[]
  /** The one that brought it about, which ends badly. */
  readonly culprit: string | null
}

const jobs = 10
const stepMs = 20
/** All share each step, so that all are in the fatal one; afterwards each is tried alone. */
const steps = 30
const fatalStep = 15
const readyMsMax = 30_000
const endMsMax = 300_000

interface Followed {
  readonly id: string
  readonly end: Promise<void>
  /** When it was last seen to go on, and when it was first seen queued again, and at work after that. */
  lastStepAt: number
  requeuedAt: number
  againAt: number
}

/** 10 jobs share a worker, which fails; when it is over all of them have ended. */
export async function failOnce(socket: GraphQLSocket, failure: Failure): Promise<Trial> {
  await until('a worker and its spare', readyMsMax, async () =>
    (await noopWorkers(socket)).filter(({ state }) => state === 'READY').length >= 2 ? true : null,
  )
  const isInside = failure === 'hang' || failure === 'spin'
  const fatal = failure === 'hang' ? { hangAtStep: fatalStep } : { spinAtStep: fatalStep }
  const all = await Promise.all(
    Array.from({ length: jobs }, (_, index) => start(socket, isInside && index === 0 ? fatal : {})),
  )
  const [first] = all
  const failedAt = isInside && first ? await standstillOf(first) : await failFromOutside(socket, failure)
  await Promise.race([Promise.all(all.map(({ end }) => end)), tooLate()])
  return {
    requeuedMs: all.map(({ requeuedAt }) => requeuedAt - failedAt),
    againMs: Math.min(...all.map(({ againAt }) => againAt)) - failedAt,
    ids: all.map(({ id }) => id),
    culprit: isInside && first ? first.id : null,
  }
}

async function start(socket: GraphQLSocket, fatal: NoopParameters): Promise<Followed> {
  const id = await submit(socket, noopJob({ steps, stepMs, ...fatal }))
  const never = Number.POSITIVE_INFINITY
  const followed = { id, end: Promise.resolve(), lastStepAt: never, requeuedAt: never, againAt: never }
  followed.end = follow(socket, id, ({ __typename }) => {
    const now = performance.now()
    if (__typename === 'JobRequeued') followed.requeuedAt = Math.min(followed.requeuedAt, now)
    else if (__typename === 'StepCompleted' && followed.requeuedAt === never) followed.lastStepAt = now
    else if (__typename === 'JobStarted' && followed.requeuedAt < never)
      followed.againAt = Math.min(followed.againAt, now)
  })
  followed.end.catch(() => {}) // awaited below; until then another error comes first
  return followed
}

/** Its last step was seen to end: the next one is the fatal one. */
async function standstillOf(job: Followed): Promise<number> {
  await until('the failure is found', endMsMax, async () => (job.requeuedAt < Number.POSITIVE_INFINITY ? true : null))
  return job.lastStepAt
}

async function failFromOutside(socket: GraphQLSocket, failure: Failure): Promise<number> {
  const pid = await until('a worker that runs all', readyMsMax, async () => {
    const running = (await noopWorkers(socket)).find(({ runningJobs }) => runningJobs.length === jobs)
    return running?.pid ?? null
  })
  await sleep(5 * stepMs)
  process.kill(pid, failure === 'exit' ? 'SIGKILL' : 'SIGSTOP')
  return performance.now()
}

async function noopWorkers(socket: GraphQLSocket): Promise<readonly WorkerFacts[]> {
  return (await listWorkers(socket)).filter(({ engine }) => engine === 'none')
}

async function tooLate(): Promise<never> {
  await sleep(endMsMax, undefined, { ref: false })
  throw new Error(`Jobs whose worker failed have not ended within ${endMsMax} ms.`)
}
