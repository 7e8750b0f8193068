/** A worker fails with 10 jobs in flight: how soon that is found, and what becomes of them. */
import { GraphQLSocket } from './clients/graphql-socket.ts'
import { follow, submit } from './clients/jobs.ts'
import { noopJob } from './clients/noop-job.ts'
import { audit } from './crash/audit.ts'
import { type Failure, failOnce, failures, type Trial } from './failover/failures.ts'
import { type Benchmark, type Figure, figure, type RunSettings } from './harness/benchmark.ts'
import { MeasuredServer } from './harness/server.ts'
import { quantile } from './harness/statistics.ts'

/** Each trial of a step that computes takes over a minute: the culprit is given that long before it is judged. */
const trialsOf: Readonly<Record<Failure, number>> = { exit: 10, stop: 10, hang: 10, spin: 2 }
/** Of these the server learns how long a step takes. */
const lessons = 25

const words: Readonly<Record<Failure, string>> = {
  exit: 'its process is killed',
  stop: 'its process is stopped (SIGSTOP)',
  hang: 'a step sleeps for ever',
  spin: 'a step computes for ever',
}

export const failover: Benchmark = {
  name: 'failover',
  about:
    'A worker with 10 jobs of 0.6 s in flight exits, is stopped, hangs, or spins: until its jobs are queued again.',
  placement: 'server and workers on core 0, generator on core 1',
  generatorCore: 1,
  peers: [],
  run: measure,
}

async function measure(settings: RunSettings): Promise<readonly Figure[]> {
  // One death alone is enough for the verdict on who brings it about; the failures from outside are nobody's fault.
  const environment = { HEARTH_QUARANTINE_DEATHS: '1', HEARTH_JOB_ATTEMPTS: '1000' }
  await using server = await MeasuredServer.start({ profileDir: settings.profileDir, environment })
  const socket = await GraphQLSocket.open(server.url)
  for (let lesson = 0; lesson < lessons; lesson += 1)
    await follow(socket, await submit(socket, noopJob({ stepMs: 20 })), () => {})
  const figures: Figure[] = []
  let bad = 0
  for (const failure of failures) {
    const trials: Trial[] = []
    for (let trial = 0; trial < (settings.isQuick ? 1 : trialsOf[failure]); trial += 1) {
      const one = await settings.quiet.round(() => failOnce(socket, failure))
      settings.say(
        `${words[failure]}: queued again after ${Math.round(Math.max(...one.requeuedMs))} ms, at work again after ${Math.round(one.againMs)} ms`,
      )
      trials.push(one)
      const innocent = one.ids.filter((id) => id !== one.culprit)
      const { lost, endedTwice, notSucceeded } = await audit(server.url, innocent)
      bad += lost + endedTwice + notSucceeded
      if (one.culprit) {
        const ended = await audit(server.url, [one.culprit])
        bad += ended.lost + ended.endedTwice
      }
    }
    figures.push(requeuedFigure(failure, trials))
  }
  socket.close()
  const what = 'jobs lost, ended twice, or ended badly though they had not brought the failure about'
  figures.push(figure({ id: 'failover.lost', what, unit: 'jobs', better: 'lower', goal: { atMost: 0 } }, [[bad]]))
  return figures
}

function requeuedFigure(failure: Failure, trials: readonly Trial[]): Figure {
  const p99 = quantile(
    trials.flatMap(({ requeuedMs }) => requeuedMs),
    0.99,
  )
  // One that computes could be innocent, and is given at least two seconds; the goal is for those that do nothing.
  const goal = failure === 'spin' ? {} : { goal: { atMost: failure === 'exit' ? 500 : 2000 } }
  return figure(
    {
      id: `failover.${failure}.requeued.p99`,
      what: `${words[failure]}: until each of its jobs is queued again, p99 of ${trials.length} times 10`,
      unit: 'ms',
      better: 'lower',
      ...goal,
    },
    [[p99]],
  )
}
