import { expect, test } from 'vitest'
import { dataFolder } from '../support/data-folder.ts'
import type { Hearth } from '../support/hearth.ts'
import { isFinal, itemsOf, type JobEvent, type JobLog, textOf, watch, watchByKey } from '../support/job-log.ts'
import { withModels } from '../support/models.ts'
import { descendants, isAlive } from '../support/processes.ts'
import { type Draw, seededDraws } from '../support/random.ts'
import { startServer } from '../support/servers.ts'
import { embeddings, itemsPerStep, noop, submit, submitAll, text, trySubmit } from '../support/submissions.ts'
import { until } from '../support/until.ts'

const kills = 3
const clients = 8

test('whatever was acknowledged has exactly one final event, however often the server is killed', async () => {
  const draw = seededDraws()
  const dataDir = await dataFolder()
  const acknowledged: string[] = []
  for (let round = 0; round < kills; round++) {
    const hearth = await startServer({ dataDir })
    const target = acknowledged.length + draw(20, 120)
    const submitting = Promise.all(Array.from({ length: clients }, () => submitUntilDead(hearth, draw, acknowledged)))
    await until('enough jobs are acknowledged', () => acknowledged.length >= target)
    await hearth.kill()
    await submitting
  }

  const hearth = await startServer({ dataDir })
  const { server } = await hearth.ask<{ server: { recoveredJobs: number } }>('{ server { recoveredJobs } }')
  expect(hearth.output.join('\n')).toMatch(/recovered/i)
  expect(hearth.output.find((line) => /recovered/i.test(line))).toContain(String(server.recoveredJobs))
  expect(new Set(acknowledged).size).toBe(acknowledged.length)
  for (const id of acknowledged) {
    const log = watch(hearth, id)
    expect((await log.final()).__typename).toBe('JobSucceeded')
    expect(log.events.filter(isFinal)).toHaveLength(1)
    const sequences = log.events.map(({ sequence }) => sequence)
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b))
  }
  const { jobs } = await hearth.ask<{ jobs: { totalCount: number } }>(
    '{ jobs(first: 0, filter: { states: [QUEUED, LOADING, RUNNING] }) { totalCount } }',
  )
  expect(jobs.totalCount).toBe(0)
  expect(await hearth.stop()).toBe(0)
}, 120_000)

/** Jobs of any length, one after the other; whoever is answered is acknowledged. */
async function submitUntilDead(hearth: Hearth, draw: Draw, acknowledged: string[]): Promise<void> {
  for (;;) {
    try {
      acknowledged.push(await submit(hearth, noop({ steps: draw(1, 4), stepMs: draw(0, 10), items: draw(0, 5) })))
    } catch {
      // The connection is gone, so the server is: that is how each round ends.
      return
    }
  }
}

test('a client that was never answered asks again with its key, and there is one job', async () => {
  const draw = seededDraws()
  const dataDir = await dataFolder()
  const first = await startServer({ dataDir })
  const keys = Array.from({ length: 120 }, (_, index) => `key-${index}`)
  const request = (key: string) => noop({ value: key }, { idempotencyKey: key })
  const answered = new Map<string, string>()
  const asking = keys.map((key) =>
    submit(first, request(key)).then(
      (id) => answered.set(key, id),
      () => null,
    ),
  )
  const target = draw(1, 100)
  await until('some are answered', () => answered.size >= target)
  await first.kill()
  await Promise.all(asking)

  const second = await startServer({ dataDir })
  for (const key of keys) {
    const id = await submit(second, request(key))
    expect(answered.get(key) ?? id).toBe(id)
  }
  const { jobs } = await second.ask<{ jobs: { totalCount: number } }>('{ jobs(first: 0) { totalCount } }')
  expect(jobs.totalCount).toBe(keys.length)
  for (const key of keys.slice(0, 20)) expect((await watchByKey(second, key).output()).values).toBe(key)
  await second.stop()
})

test('a cancellation that was acknowledged holds after a crash', async () => {
  const draw = seededDraws()
  const dataDir = await dataFolder()
  const first = await startServer({ dataDir })
  const ids = await submitAll(
    first,
    Array.from({ length: 40 }, () => noop({ steps: 100_000, stepMs: 5 })),
  )
  await watch(first, ids[0]!).event('JobStarted')
  const cancelled: string[] = []
  const cancelling = ids.map((id) =>
    first.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id }).then(
      () => cancelled.push(id),
      () => null,
    ),
  )
  const target = draw(1, 40)
  await until('some are cancelled', () => cancelled.length >= target)
  await first.kill()
  await Promise.all(cancelling)

  const second = await startServer({ dataDir })
  for (const id of cancelled) {
    const log = watch(second, id)
    expect((await log.final()).__typename).toBe('JobCancelled')
    expect(log.events.filter(isFinal)).toHaveLength(1)
  }
  await second.kill()
})

test('a job whose model has changed since fails and says so, and the old version is still known', async () => {
  const dataDir = await dataFolder()
  const before = await withModels({ name: 'changing', batchLimit: 1 })
  const first = await startServer({ dataDir, environment: before })
  const [running, waiting] = await submitAll(
    first,
    [1, 2].map((value) => noop({ value, steps: 100_000, stepMs: 5 }, { model: 'changing' })),
  )
  await watch(first, running!).event('JobStarted')
  await first.kill()

  const second = await startServer({ dataDir, environment: await withModels({ name: 'changing', batchLimit: 2 }) })
  for (const id of [running!, waiting!]) {
    const log = watch(second, id)
    expect(await log.final()).toMatchObject({ __typename: 'JobFailed', error: { code: 'MODEL_VERSION_GONE' } })
    expect(log.events.filter(isFinal)).toHaveLength(1)
  }
  expect((await watch(second, await submit(second, noop({}, { model: 'changing' }))).final()).__typename).toBe(
    'JobSucceeded',
  )
  const { model } = await second.ask<{ model: { versions: { totalCount: number } } }>(
    '{ model(name: "changing") { versions { totalCount nodes { version } } } }',
  )
  expect(model.versions.totalCount).toBe(2)
  await second.stop()
})

test('a job that was running begins again after a crash, and cursors from before it stay good', async () => {
  const dataDir = await dataFolder()
  const first = await startServer({ dataDir })
  const id = await submit(first, text({ prompt: 'Write a long story about the sea.', maxTokens: 120 }))
  const before = watch(first, id)
  await before.reaches('some text', () => before.text.length > 100)
  await first.kill()
  await before.hangUp()

  const second = await startServer({ dataDir })
  for (const index of [0, Math.floor(before.events.length / 2), before.events.length - 1]) {
    const seen = before.events.slice(0, index + 1)
    const after = watch(second, id, { after: seen.at(-1)!.cursor })
    const { output } = await after.final()
    const joined = [...seen, ...after.events]
    expect(textOf(joined)).toBe(output?.text)
    expect(joined.some(({ __typename }) => __typename === 'JobRequeued')).toBe(true)
    expectRising(joined)
  }
  const whole = watch(second, id)
  const { output } = await whole.final()
  expect(whole.text).toBe(output?.text)
  expect(whole.events.filter(isFinal)).toHaveLength(1)
  expect(whole.events.find(({ __typename }) => __typename === 'JobRequeued')).toMatchObject({
    error: { retryable: true },
  })
  await second.stop()
})

test('readers who come back after every crash see one coherent log', async () => {
  const dataDir = await dataFolder()
  const seen = new Map<string, JobEvent[]>()
  for (let crash = 0; crash < 3; crash++) {
    const hearth = await startServer({ dataDir })
    for (const id of await submitAll(hearth, severalKinds)) {
      expect([...seen.keys()]).not.toContain(id)
      seen.set(id, [])
    }
    const logs = [...seen]
      .filter(([, events]) => !events.some(isFinal))
      .map(([id, events]) => resume(hearth, id, events))
    await Promise.race(logs.map((log) => log.reaches('something new', () => log.events.length > 2)))
    await hearth.kill()
    for (const log of logs) await log.hangUp()
    for (const { events } of logs) if (events[0]) seen.get(events[0].jobId)!.push(...events)
  }

  const hearth = await startServer({ dataDir })
  const sequences = new Set<number>()
  for (const [id, before] of seen) {
    const log = resume(hearth, id, before)
    if (!before.some(isFinal)) await log.final()
    const events = [...before, ...log.events]
    expectRising(events)
    expect(events.filter(isFinal)).toMatchObject([{ __typename: 'JobSucceeded' }])
    const { output } = events.at(-1)!
    if (output?.text !== undefined) expect(textOf(events)).toBe(output.text)
    if (output?.values === 'items')
      expect(itemsOf(events)).toEqual(Array.from({ length: 3 * itemsPerStep }, (_, n) => n))
    await log.hangUp()
    for (const { sequence } of events) {
      expect(sequences).not.toContain(sequence)
      sequences.add(sequence)
    }
  }
  await hearth.stop()
})

const severalKinds = [
  text({ prompt: 'Write about the sea.', maxTokens: 60 }),
  noop({ steps: 60, stepMs: 10, value: 'steps' }),
  noop({ steps: 60, stepMs: 10, items: 3 * itemsPerStep, value: 'items' }),
  embeddings(['Still the same sentence.']),
]

function resume(hearth: Hearth, id: string, seen: readonly JobEvent[]): JobLog {
  const after = seen.at(-1)?.cursor
  return watch(hearth, id, after === undefined ? {} : { after })
}

test('what had ended, what was cancelled, what has a key and what has a deadline are after a crash what they were before it', async () => {
  const dataDir = await dataFolder()
  const first = await startServer({ dataDir })
  const done = await submit(first, noop({ value: { kept: true } }))
  const doneLog = watch(first, done)
  await doneLog.final()
  const running = await submit(first, noop({ steps: 100_000, stepMs: 5 }))
  await watch(first, running).event('JobStarted')
  const cancelled = await submit(first, noop({ steps: 100_000, stepMs: 5 }))
  const keyed = await submit(first, noop({ value: 1 }, { idempotencyKey: 'before the crash' }))
  const deadline = Date.now() + 500
  const late = await submit(first, noop({ steps: 100_000, stepMs: 5 }, { deadline: new Date(deadline).toISOString() }))
  await first.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: cancelled })
  await first.kill()

  const second = await startServer({ dataDir })
  const again = watch(second, done)
  await again.final()
  expect(withoutProgress(again)).toEqual(withoutProgress(doneLog))
  expect((await watch(second, cancelled).final()).__typename).toBe('JobCancelled')
  expect(await watch(second, late).final()).toMatchObject({ error: { code: 'DEADLINE_EXCEEDED' } })
  expect((await trySubmit(second, noop({ value: 1 }, { idempotencyKey: 'before the crash' }))).job?.id).toBe(keyed)
  expect((await trySubmit(second, noop({ value: 2 }, { idempotencyKey: 'before the crash' }))).__typename).toBe(
    'ConflictError',
  )
  await watch(second, running).reaches(
    'its second start',
    ({ __typename, attempt }) => __typename === 'JobStarted' && attempt === 2,
  )
  await second.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: running })
  expect((await watch(second, running).final()).__typename).toBe('JobCancelled')
  await second.stop()
})

test('a job that was running in many crashes is not blamed for them', async () => {
  const dataDir = await dataFolder()
  let id = ''
  const environment = { HEARTH_JOB_ATTEMPTS: '1', HEARTH_QUARANTINE_DEATHS: '1' }
  for (let crash = 0; crash < 2; crash++) {
    const hearth = await startServer({ dataDir, environment })
    if (id === '') id = await submit(hearth, noop({ steps: 60, stepMs: 10 }))
    await watch(hearth, id).reaches(
      'a start of its own',
      ({ __typename, attempt }) => __typename === 'JobStarted' && attempt === crash + 1,
    )
    await hearth.kill()
  }
  const hearth = await startServer({ dataDir })
  expect((await watch(hearth, id).final()).__typename).toBe('JobSucceeded')
  await hearth.stop()
}, 90_000)

test('no worker stays behind when the server is killed', async () => {
  const dataDir = await dataFolder()
  const hearth = await startServer({ dataDir })
  const writing = watch(hearth, await submit(hearth, text({ prompt: 'Write a long story.', maxTokens: 1000 })))
  await writing.event('TextDelta')
  const stepping = watch(hearth, await submit(hearth, noop({ steps: 100_000, stepMs: 5 })))
  await stepping.event('StepCompleted')
  const hanging = watch(hearth, await submit(hearth, noop({ hangAtStep: 1 })))
  await hanging.event('JobStarted')
  const workers = await descendants(hearth.pid)
  expect(workers.length).toBeGreaterThanOrEqual(2)
  await hearth.kill()
  for (const pid of workers) await until(`process ${pid} has ended`, async () => !(await isAlive(pid)), 2000)
})

const withoutProgress = (log: JobLog) => log.events.filter(({ __typename }) => __typename !== 'StepCompleted')

function expectRising(events: readonly JobEvent[]): void {
  for (const [index, { sequence }] of events.entries()) {
    if (index > 0) expect(sequence).toBeGreaterThan(events[index - 1]!.sequence)
  }
}
