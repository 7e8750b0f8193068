import { expect, test } from 'vitest'
import { dataFolder } from '../support/data-folder.ts'
import type { Hearth } from '../support/hearth.ts'
import { isFinal, type JobLog, watch } from '../support/job-log.ts'
import { seededDraws } from '../support/random.ts'
import { startServer } from '../support/servers.ts'
import { picture, submit } from '../support/submissions.ts'
import { until } from '../support/until.ts'
import { killWorker, listWorkers } from '../support/workers.ts'

const workerKills = 10
/** After so many of them the server is killed too. */
const killsBeforeTheServers = 5
const seeds = [1, 11, 21]
/** About: the steps of its pictures, and what else is told of a job that nobody disturbs. */
const eventsOfJob = 65
/** The kills are nobody's fault here, so they may not add up to anybody's. */
const environment = { HEARTH_JOB_ATTEMPTS: '100', HEARTH_QUARANTINE_DEATHS: '100' }

const pictures = (seed: number) => picture({ seed, count: 2, steps: 30 })

test('pictures are the same to the last byte, however often their worker and their server are killed', async () => {
  const draw = seededDraws()
  const dataDir = await dataFolder()
  let hearth = await startServer({ dataDir, environment })
  const undisturbed = new Map<number, readonly string[]>()
  for (const seed of seeds) undisturbed.set(seed, await digestsOf(watch(hearth, await submit(hearth, pictures(seed)))))

  const jobs: { readonly id: string; readonly seed: number }[] = []
  // Kills need something to disturb: whenever a job has ended another one follows.
  const submitNext = async () => {
    const seed = seeds[jobs.length % seeds.length] as number
    jobs.push({ id: await submit(hearth, pictures(seed)), seed })
  }
  for (const _ of seeds) await submitNext()
  for (let kill = 0; kill < workerKills; kill++) {
    if (kill === killsBeforeTheServers) {
      await hearth.kill()
      hearth = await startServer({ dataDir, environment })
    }
    const worker = await busyWorker(hearth)
    await someEvents(watch(hearth, worker.runningJobs[0]!.id), draw(1, eventsOfJob))
    killWorker(worker)
    while ((await unended(hearth)) < seeds.length) await submitNext()
  }

  for (const { id, seed } of jobs) {
    const log = watch(hearth, id)
    expect(await digestsOf(log)).toEqual(undisturbed.get(seed))
    expect(log.events.filter(isFinal)).toHaveLength(1)
  }
  await hearth.stop()
}, 120_000)

async function digestsOf(log: JobLog): Promise<readonly string[]> {
  return ((await log.output()).images ?? []).map(({ image }) => image?.sha256 ?? 'withheld')
}

/** Steps that were taken together are told together, so there may be fewer. */
async function someEvents(log: JobLog, count: number): Promise<void> {
  await log.reaches(`event ${count}`, (event) => log.events.length >= count || isFinal(event))
  await log.hangUp()
}

function busyWorker(hearth: Hearth) {
  return until(
    'a worker runs a job',
    async () => (await listWorkers(hearth)).find(({ runningJobs }) => runningJobs.length > 0),
    30_000,
  )
}

async function unended(hearth: Hearth): Promise<number> {
  const states = 'QUEUED, LOADING, RUNNING, PAUSED, POSTPROCESSING'
  const query = `{ jobs(first: 0, filter: { states: [${states}] }) { totalCount } }`
  return (await hearth.ask<{ jobs: { totalCount: number } }>(query)).jobs.totalCount
}
