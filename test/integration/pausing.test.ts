import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataFolder } from '../support/data-folder.ts'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { type JobLog, textOf, watch } from '../support/job-log.ts'
import { pause, resume } from '../support/pausing.ts'
import { startServer } from '../support/servers.ts'
import { noop, picture, pictureModel, submit, text } from '../support/submissions.ts'
import { until } from '../support/until.ts'
import { killWorker, workerOf } from '../support/workers.ts'

/** Long enough to be caught in the middle. */
const long = { steps: 60 }

async function stateOf(hearth: Hearth, id: string): Promise<{ state: string; pauseCause: string | null }> {
  const query = 'query ($id: ID!) { job(id: $id) { state pauseCause } }'
  return (await hearth.ask<{ job: { state: string; pauseCause: string | null } }>(query, { id })).job
}
const isPaused = (hearth: Hearth, id: string) =>
  until(`job ${id} is paused`, async () => (await stateOf(hearth, id)).state === 'PAUSED')
const reachesStep = (log: JobLog, wanted: number) =>
  log.reaches(`step ${wanted}`, ({ __typename, step = 0 }) => __typename === 'StepCompleted' && step >= wanted)
async function digestOf(log: JobLog): Promise<string | undefined> {
  return (await log.output()).images?.[0]?.image?.sha256
}
/** As the log's JobPaused says it. */
function stepOfPause({ events }: JobLog): number {
  const message = events.find(({ __typename }) => __typename === 'JobPaused')?.message
  return Number(/after (\d+) of/.exec(message ?? '')?.[1])
}
/** State changes, in order. */
const changesOf = ({ types }: JobLog) => types.filter((type) => type.startsWith('Job'))

describe('on one server', () => {
  let hearth: Hearth
  let undisturbed: string | undefined
  beforeAll(async () => {
    hearth = await startHearth()
    undisturbed = await digestOf(watch(hearth, await submit(hearth, picture(long))))
  }, 60_000)
  afterAll(() => hearth.stop())

  async function pausedPicture(): Promise<{ readonly id: string; readonly log: JobLog }> {
    const id = await submit(hearth, picture(long))
    const log = watch(hearth, id)
    await reachesStep(log, 5)
    await pause(hearth, id)
    await log.event('JobPaused')
    return { id, log }
  }

  test('a picture that is paused and resumed is the same to the last byte', async () => {
    const { id, log } = await pausedPicture()
    expect(await stateOf(hearth, id)).toEqual({ state: 'PAUSED', pauseCause: 'REQUESTED' })
    expect(log.events.at(-1)?.message).toMatch(/^Paused after \d+ of 60 steps\.$/)
    await resume(hearth, id)
    expect(await digestOf(log)).toBe(undisturbed)
    expect(changesOf(log)).toEqual([
      'JobQueued',
      'JobStarted',
      'JobPaused',
      'JobResumed',
      'JobPostprocessing',
      'JobSucceeded',
    ])
    expect(await stateOf(hearth, id)).toEqual({ state: 'SUCCEEDED', pauseCause: null })
  })

  test('what a paused job keeps is an allocation of its own, until it goes on', async () => {
    const { id, log } = await pausedPicture()
    const allocationsOf = async () => {
      const query = 'query ($id: ID!) { job(id: $id) { allocations { purpose state job { id } device { name } } } }'
      const { job } = await hearth.ask<{ job: { allocations: { purpose: string }[] } }>(query, { id })
      return job.allocations.filter(({ purpose }) => purpose === 'PAUSED_STATE')
    }
    const kept = { purpose: 'PAUSED_STATE', job: { id }, device: { name: expect.any(String) } }
    expect(await allocationsOf()).toEqual([{ ...kept, state: 'COMMITTED' }])
    await resume(hearth, id)
    await log.output()
    expect(await allocationsOf()).toEqual([{ ...kept, state: 'RELEASED' }])
  })

  test('while a job is paused no step of it runs, and others go on', async () => {
    const { id, log } = await pausedPicture()
    const seen = log.events.length
    await watch(hearth, await submit(hearth, picture({ steps: 10, seed: 8 }))).output()
    expect(log.events).toHaveLength(seen)
    await resume(hearth, id)
    await log.output()
  })

  test('its pause counts as such, and not as running', async () => {
    const { id, log } = await pausedPicture()
    await watch(hearth, await submit(hearth, picture({ steps: 30, seed: 8 }))).output()
    await resume(hearth, id)
    await log.output()
    const query = 'query ($id: ID!) { job(id: $id) { timings { queueMs runMs postprocessMs pausedMs totalMs } } }'
    const { job } = await hearth.ask<{ job: { timings: Readonly<Record<string, number>> } }>(query, { id })
    const { queueMs = NaN, runMs = NaN, postprocessMs = NaN, pausedMs = NaN, totalMs = NaN } = job.timings
    expect(pausedMs).toBeGreaterThan(0)
    expect(queueMs + runMs + postprocessMs + pausedMs).toBeLessThanOrEqual(totalMs)
  })

  test('pausing twice succeeds, resuming what is not paused does not, nor pausing what has ended', async () => {
    const { id, log } = await pausedPicture()
    expect((await pause(hearth, id)).job?.state).toBe('PAUSED')
    await resume(hearth, id)
    await log.event('JobResumed')
    expect(await resume(hearth, id)).toMatchObject({ __typename: 'ConflictError' })
    await log.output()
    expect(await pause(hearth, id)).toMatchObject({ __typename: 'ConflictError' })
  })

  test('a paused job can be cancelled, and its log says where it stopped', async () => {
    const { id, log } = await pausedPicture()
    await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id })
    const final = await log.final()
    expect(final.__typename).toBe('JobCancelled')
    expect(final.message).toMatch(/^Cancelled after \d+ of 60 steps\.$/)
  })

  test('a model that leaves while its job is paused comes back for it, and the picture is the same', async () => {
    const { id, log } = await pausedPicture()
    await hearth.ask(`mutation { unloadModel(input: { model: "${pictureModel}" }) { __typename } }`)
    await until('the model is gone', async () => {
      const query = `{ model(name: "${pictureModel}") { residencies { id } } }`
      return (await hearth.ask<{ model: { residencies: object[] } }>(query)).model.residencies.length === 0
    })
    expect((await stateOf(hearth, id)).state).toBe('PAUSED')
    await resume(hearth, id)
    // Told as another attempt that begins where the job was paused: nothing is lost.
    expect((await log.event('JobRequeued')).fromStep).toBe(stepOfPause(log))
    expect(await digestOf(log)).toBe(undisturbed)
  })

  test('a picture whose worker is killed goes on from its last checkpoint, and is the same', async () => {
    const id = await submit(hearth, picture(long))
    const log = watch(hearth, id)
    const worker = await workerOf(hearth, id)
    await reachesStep(log, 12)
    killWorker(worker)
    const requeued = await log.event('JobRequeued')
    expect(requeued.fromStep).toBeGreaterThanOrEqual(5)
    expect(await digestOf(log)).toBe(undisturbed)
  })

  test('a text goes on where it was paused: what was written stays', async () => {
    const id = await submit(hearth, text({ prompt: 'Tell a long story about a lighthouse.', maxTokens: 200 }))
    const log = watch(hearth, id)
    await log.reaches('some text', () => log.text.length > 40)
    await pause(hearth, id)
    await log.event('JobPaused')
    const written = log.text
    await resume(hearth, id)
    const output = await log.output()
    expect(output.text?.startsWith(written)).toBe(true)
    expect(textOf(log.events)).toBe(output.text)
  })

  test('a text whose worker is killed is put together by the same rule as ever', async () => {
    const id = await submit(hearth, text({ prompt: 'Tell a long story about a lighthouse.', maxTokens: 200 }))
    const log = watch(hearth, id)
    const worker = await workerOf(hearth, id)
    await log.reaches('some text', () => log.text.length > 40)
    killWorker(worker)
    await log.event('JobRequeued')
    const output = await log.output()
    expect(textOf(log.events)).toBe(output.text)
  })

  test('a job that waits is paused at once, and waits again when it is resumed', async () => {
    const blocker = await submit(hearth, noop({ steps: 100_000, stepMs: 5 }))
    await watch(hearth, blocker).event('JobStarted')
    const waiting = await Promise.all(Array.from({ length: 40 }, () => submit(hearth, noop({ steps: 200, stepMs: 5 }))))
    const id = waiting.at(-1) as string
    const log = watch(hearth, id)
    await pause(hearth, id)
    expect((await log.event('JobPaused')).message).toMatch(/^Paused/)
    await resume(hearth, id)
    await log.reaches('the queue or its worker', ({ __typename }) => /^Job(Queued|Resumed)$/.test(__typename))
    for (const job of [blocker, ...waiting])
      await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: job })
  })
})

describe('over the end of a server', () => {
  test('a paused picture stays paused when the server is killed, and is the same when it goes on', async () => {
    const dataDir = await dataFolder()
    const first = await startServer({ dataDir })
    const undisturbed = await digestOf(watch(first, await submit(first, picture(long))))
    const id = await submit(first, picture(long))
    const log = watch(first, id)
    await reachesStep(log, 10)
    await pause(first, id)
    await log.event('JobPaused')
    await first.kill()

    const second = await startServer({ dataDir })
    expect(second.output.join('\n')).toContain('1 paused')
    await watch(second, await submit(second, picture({ steps: 5, seed: 8 }))).output()
    await isPaused(second, id)
    await resume(second, id)
    const after = watch(second, id)
    expect(await digestOf(after)).toBe(undisturbed)
    expect(changesOf(after).filter((type) => type === 'JobPaused')).toHaveLength(1)
    expect((await after.event('JobRequeued')).fromStep).toBe(stepOfPause(after))
    await second.stop()
  }, 90_000)

  test('a wish to pause that was answered holds, however soon the server is killed', async () => {
    const dataDir = await dataFolder()
    const first = await startServer({ dataDir })
    const id = await submit(first, noop({ steps: 100_000, stepMs: 5 }))
    await watch(first, id).event('JobStarted')
    await pause(first, id)
    await first.kill()
    const second = await startServer({ dataDir })
    await isPaused(second, id)
    await second.stop()
  }, 60_000)

  test('a picture that runs when the server is killed goes on from its last checkpoint', async () => {
    const dataDir = await dataFolder()
    const first = await startServer({ dataDir })
    const undisturbed = await digestOf(watch(first, await submit(first, picture(long))))
    const id = await submit(first, picture(long))
    await reachesStep(watch(first, id), 20)
    await first.kill()
    const second = await startServer({ dataDir })
    const log = watch(second, id)
    expect((await log.event('JobRequeued')).fromStep).toBeGreaterThanOrEqual(5)
    expect(await digestOf(log)).toBe(undisturbed)
    await second.stop()
  }, 90_000)
})
