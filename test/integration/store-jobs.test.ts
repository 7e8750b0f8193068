import { describe, expect, test } from 'vitest'
import type { DeviceId, JobId, SessionId } from '../../src/scheduler/ids.ts'
import { StoreOverloaded } from '../../src/store/store.ts'
import { testStore } from '../support/stores.ts'

const deviceId = 1 as DeviceId
const failure = { code: 'ENGINE_ERROR', message: 'It broke.', retryable: true } as const

test('a submission comes back as it was given, and is there to read', async () => {
  const { store, jobs } = await testStore()
  const given = jobs.next({ request: '{"prompt":"Grüße 𝄞"}', idempotencyKey: 'k', deadlineAt: 5 })
  const outcome = await store.submitJobs([given])
  expect(outcome).toEqual({ kind: 'accepted', jobs: [{ record: given.record, isNew: true }] })
  expect(await store.readJob(given.record.id)).toEqual(given.record)
  expect(await store.readJobByKey('k')).toEqual(given.record)
  expect(await store.readRequest(given.record.id)).toBe('{"prompt":"Grüße 𝄞"}')
  expect(await store.readTasks(given.record.id)).toEqual(given.tasks)
  const [queued] = await store.readEvents(given.record.id, 0, 10)
  expect(queued).toMatchObject({ body: { kind: 'queued' }, from: null, to: 'QUEUED', attempt: 0 })
})

test('the same key with the same input names the job that is there', async () => {
  const { store, jobs } = await testStore()
  const first = jobs.next({ idempotencyKey: 'k', fingerprint: 'f' })
  await store.submitJobs([first])
  const again = jobs.next({ idempotencyKey: 'k', fingerprint: 'f' })
  const outcome = await store.submitJobs([jobs.next(), again])
  expect(outcome).toMatchObject({ jobs: [{ isNew: true }, { isNew: false, record: first.record }] })
  expect(await store.readJob(again.record.id)).toBeNull()
  expect(await store.countEvents(first.record.id)).toBe(1)
})

test('the same key with another input is a conflict, and nothing of that submission is written', async () => {
  const { store, jobs } = await testStore()
  const first = jobs.next({ idempotencyKey: 'k', fingerprint: 'f' })
  const innocent = jobs.next()
  const fellow = jobs.next()
  // All in one commit: only the submission with the conflict may fail.
  const [, outcome, other] = await Promise.all([
    store.submitJobs([first]),
    store.submitJobs([innocent, jobs.next({ idempotencyKey: 'k', fingerprint: 'other' })]),
    store.submitJobs([fellow]),
  ])
  expect(outcome).toEqual({ kind: 'conflict', index: 1, jobId: first.record.id })
  expect(other).toMatchObject({ kind: 'accepted' })
  expect(await store.readJob(innocent.record.id)).toBeNull()
  expect(await store.readRequest(innocent.record.id)).toBeNull()
  expect(await store.readJob(fellow.record.id)).toEqual(fellow.record)
})

test('a key repeated inside one submission is one job; with another input it is a conflict', async () => {
  const { store, jobs } = await testStore()
  const first = jobs.next({ idempotencyKey: 'k', fingerprint: 'f' })
  const outcome = await store.submitJobs([first, jobs.next({ idempotencyKey: 'k', fingerprint: 'f' })])
  expect(outcome).toMatchObject({
    jobs: [
      { isNew: true, record: first.record },
      { isNew: false, record: first.record },
    ],
  })
  expect(await store.countJobs({})).toBe(1)
  const twoMinds = [
    jobs.next({ idempotencyKey: 'l', fingerprint: 'f' }),
    jobs.next({ idempotencyKey: 'l', fingerprint: 'g' }),
  ]
  expect(await store.submitJobs(twoMinds)).toMatchObject({ kind: 'conflict', index: 1 })
  expect(await store.countJobs({})).toBe(1)
})

test('row and event change together, and the output is kept', async () => {
  const { store, log, jobs, submit } = await testStore()
  const { record, ...rest } = jobs.next()
  await submit({ record, ...rest })
  await log.changeState(record, { kind: 'started', deviceId }, 'RUNNING', { attempt: 1, deviceId, startedAt: 7 })
  expect(await store.readJob(record.id)).toMatchObject({ state: 'RUNNING', attempt: 1, deviceId, startedAt: 7 })
  const pool = new Uint8Array(64 * 1024).fill(1)
  await log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {}, pool.subarray(10, 14))
  expect(await store.readOutput(record.id)).toEqual(new Uint8Array([1, 1, 1, 1]))
  expect(await store.readJob(record.id)).toEqual(record)
  expect(record).toMatchObject({ state: 'SUCCEEDED', finishedAt: expect.any(Number) })
})

test('a job that is not there cannot change, and takes nobody along', async () => {
  const { store, jobs, submit } = await testStore()
  const there = jobs.next()
  await submit(there)
  const event = (sequence: number, jobId: JobId) =>
    ({
      sequence,
      jobId,
      attempt: 1,
      at: 1,
      from: 'QUEUED',
      to: 'RUNNING',
      body: { kind: 'started', deviceId },
    }) as const
  const lost = store.changeJob({ event: event(store.nextSequence(), 999 as JobId), patch: {} })
  const kept = store.changeJob({ event: event(store.nextSequence(), there.record.id), patch: {} })
  await expect(lost).rejects.toThrow(/refused/)
  await kept
  expect(await store.readJob(there.record.id)).toMatchObject({ state: 'RUNNING' })
})

test('a wish to cancel is durable', async () => {
  const { store, jobs, submit } = await testStore()
  const job = jobs.next()
  await submit(job)
  await store.recordCancelRequest(job.record.id, 42)
  expect(await store.readJob(job.record.id)).toMatchObject({ cancelRequestedAt: 42, state: 'QUEUED' })
})

test('a request of 1 MiB is written once and read whole', async () => {
  const { store, log, jobs, submit } = await testStore()
  const request = JSON.stringify({ prompt: 'x'.repeat(1024 * 1024) })
  const job = jobs.next({ request })
  await submit(job)
  const afterSubmission = store.metrics.walBytes
  await log.changeState(job.record, { kind: 'started', deviceId }, 'RUNNING', { attempt: 1 })
  expect(store.metrics.walBytes - afterSubmission).toBeLessThan(100_000)
  expect(await store.readRequest(job.record.id)).toBe(request)
})

test('pages are newest first, each goes on where the last one ended, and filters agree with counts', async () => {
  const { store, log, jobs, submit } = await testStore()
  const session = {
    id: store.opening.nextSessionId as SessionId,
    name: 'ours',
    class: 'batch',
    weight: 2.5,
    modelId: null,
    idleTimeoutSeconds: 60,
    createdAt: 1,
    lastUsedAt: 1,
    closedAt: null,
  } as const
  await store.insertSession(session)
  const all = [
    ...jobs.many(5, { createdAt: 100 }),
    ...jobs.many(5, { createdAt: 200, class: 'batch', sessionId: session.id }),
  ]
  await submit(...all)
  const [failed, cancelled, running] = all.map(({ record }) => record)
  if (!failed || !cancelled || !running) throw new Error('There are ten jobs.')
  await log.changeState(failed, { kind: 'failed', failure }, 'FAILED', { failure })
  await log.changeState(
    cancelled,
    { kind: 'cancelled', progressDone: null, progressTotal: null, progressUnit: null, message: '' },
    'CANCELLED',
    {},
  )
  await log.changeState(running, { kind: 'started', deviceId }, 'RUNNING', { attempt: 1 })

  const newestFirst = all.map(({ record }) => record.id).reverse()
  const seen: number[] = []
  for (let beforeId: number | null = null; ; ) {
    const page = await store.readJobs({}, { first: 3, beforeId })
    if (page.length === 0) break
    seen.push(...page.map(({ id }) => id))
    beforeId = page.at(-1)?.id ?? null
  }
  expect(seen).toEqual(newestFirst)

  const filters = [
    [{ states: ['FAILED'] }, 1],
    [{ states: ['FAILED', 'CANCELLED'] }, 2],
    [{ states: ['QUEUED', 'RUNNING'] }, 8],
    [{ states: ['QUEUED', 'FAILED'] }, 8],
    [{ class: 'batch' }, 5],
    [{ sessionId: session.id, states: ['QUEUED'] }, 5],
    [{ createdAfter: 100 }, 5],
    [{ createdBefore: 200, createdAfter: 99 }, 5],
    [{ modelId: jobs.version.modelId, taskKind: 'program' }, 10],
    [{ taskKind: 'embedText' }, 0],
  ] as const
  for (const [filter, count] of filters) {
    expect(await store.countJobs(filter), JSON.stringify(filter)).toBe(count)
    expect(await store.readJobs(filter, { first: 100, beforeId: null }), JSON.stringify(filter)).toHaveLength(count)
  }
  expect(await store.readJob(failed.id)).toMatchObject({ failure })
  const endless = { states: Array.from({ length: 40_000 }, () => 'FAILED' as const) }
  expect(await store.countJobs(endless)).toBe(1)
})

test('submissions are refused when too much waits for its commit; state changes never are', async () => {
  const { store, log, jobs, submit } = await testStore({ queueLimit: 10, queueCharsLimit: 10_000 })
  const running = jobs.next()
  await submit(running)
  const accepted = store.submitJobs(jobs.many(10))
  const refused = store.submitJobs([jobs.next()])
  const change = log.changeState(running.record, { kind: 'started', deviceId }, 'RUNNING', { attempt: 1 })
  await expect(refused).rejects.toThrow(StoreOverloaded)
  await expect(refused).rejects.toMatchObject({ limit: 'write_queue', retryAfterMs: expect.any(Number) })
  await Promise.all([accepted, change])
  expect(store.metrics.queuedOperations).toBe(0)

  const large = store.submitJobs([jobs.next({ request: JSON.stringify('x'.repeat(20_000)) })])
  await expect(store.submitJobs([jobs.next()])).rejects.toMatchObject({ limit: 'write_queue' })
  await expect(large).resolves.toMatchObject({ kind: 'accepted' })
})

test('sessions are opened, touched and closed', async () => {
  const { store } = await testStore()
  const session = (id: number) =>
    ({
      id: id as SessionId,
      name: null,
      class: 'interactive',
      weight: 1,
      modelId: null,
      idleTimeoutSeconds: 60,
      createdAt: 1,
      lastUsedAt: 1,
      closedAt: null,
    }) as const
  await Promise.all([store.insertSession(session(1)), store.insertSession(session(2))])
  await store.updateSession(1 as SessionId, { lastUsedAt: 5 })
  await store.updateSession(2 as SessionId, { closedAt: 9 })
  const page = { first: 10, beforeId: null }
  expect(await store.readSessions({}, page)).toEqual([
    { ...session(2), closedAt: 9 },
    { ...session(1), lastUsedAt: 5 },
  ])
  expect(await store.readSessions({ states: ['OPEN'] }, page)).toEqual([{ ...session(1), lastUsedAt: 5 }])
  expect(await store.countSessions({ states: ['CLOSED'] })).toBe(1)
  expect(await store.countSessions({ states: ['OPEN', 'CLOSED'], class: 'batch' })).toBe(0)
  expect(await store.readSession(2 as SessionId)).toMatchObject({ closedAt: 9 })
})

test('models, versions, components and devices keep their ids whenever they are registered again', async () => {
  const { store, reopen } = await testStore()
  const version = (sha256: string) =>
    ({
      sha256,
      state: 'READY',
      license: 'MIT',
      manifest: '{}',
      directory: '/m',
      sizeBytes: 1,
      peakBytes: 2,
      registeredAt: 3,
    }) as const
  const component = { name: 'encoder', format: 'onnx', sizeBytes: 1, sha256: 'c', dependsOn: ['tokenizer'] }
  const model = { name: 'minilm', task: 'embedText' }
  const first = await store.registerVersion(model, version('a'), [component])
  const second = await store.registerVersion(model, version('b'), [component])
  expect(second.model).toEqual(first.model)
  expect(second.version.id).toBeGreaterThan(first.version.id)
  const device = await store.registerDevice('cpu:0', 'CPU')

  const { store: reopened } = await reopen()
  expect(
    await reopened.registerVersion(model, { ...version('a'), directory: '/moved', registeredAt: 99 }, [component]),
  ).toEqual({
    ...first,
    version: { ...first.version, directory: '/moved' },
  })
  expect(await reopened.registerDevice('cpu:0', 'CPU')).toEqual(device)
  expect(await reopened.readModels({ name: 'minilm' })).toEqual([first.model])
  expect(await reopened.readModels({ task: 'generateText' })).toEqual([])
  expect(
    (await reopened.readVersions(first.model.id, { first: 9, beforeId: null })).map(({ sha256 }) => sha256),
  ).toEqual(['b', 'a'])
  expect(await reopened.countVersions(first.model.id)).toBe(2)
  expect(await reopened.readVersion(second.version.id)).toEqual(second.version)
  expect(await reopened.readComponents(first.version.id)).toEqual(first.components)
  expect(await reopened.readComponent(second.components[0]!.id)).toEqual(second.components[0])
  expect(await reopened.readDevice(device.id)).toEqual(device)
  expect(await reopened.readModel(first.model.id)).toEqual(first.model)
})

describe('a version whose files are being read', () => {
  const model = { name: 'minilm', task: 'embedText' }
  const component = { name: 'encoder', format: 'onnx', sizeBytes: 1, sha256: 'c', dependsOn: [] }
  const version = (sha256: string, state: 'READY' | 'VERIFYING') => ({
    sha256,
    state,
    license: null,
    manifest: '{}',
    directory: '/m',
    sizeBytes: 1,
    peakBytes: 2,
    registeredAt: 3,
  })
  const everyVersion = { first: 9, beforeId: null }

  test('keeps its id when its digest is known', async () => {
    const { store } = await testStore()
    const reading = await store.registerVersion(model, version('provisional', 'VERIFYING'), [component])
    expect(await store.readVersion(reading.version.id)).toMatchObject({ state: 'VERIFYING' })
    const ready = await store.registerVersion(model, version('a', 'READY'), [component], reading.version.id)
    expect(ready.version).toEqual({ ...reading.version, sha256: 'a', state: 'READY' })
    expect(ready.components).toEqual(reading.components)
    expect(await store.readVersions(reading.model.id, everyVersion)).toEqual([ready.version])
  })

  test('makes way for the version that it turns out to be', async () => {
    const { store } = await testStore()
    const known = await store.registerVersion(model, version('a', 'READY'), [component])
    const reading = await store.registerVersion(model, version('provisional', 'VERIFYING'), [component])
    const ready = await store.registerVersion(model, version('a', 'READY'), [component], reading.version.id)
    expect(ready).toEqual(known)
    expect(await store.readVersions(known.model.id, everyVersion)).toEqual([known.version])
    expect(await store.readComponent(reading.components[0]!.id)).toBeNull()
  })

  test('is forgotten when the server was killed meanwhile', async () => {
    const { store, reopen } = await testStore()
    const known = await store.registerVersion(model, version('a', 'READY'), [component])
    await store.registerVersion(model, version('provisional', 'VERIFYING'), [component])
    const { store: reopened } = await reopen()
    expect(await reopened.readVersions(known.model.id, everyVersion)).toEqual([known.version])
  })
})

test('a page of large events ends early, and the next one goes on where it ended', async () => {
  const { store, log, jobs, submit } = await testStore()
  const job = jobs.next()
  await submit(job)
  const text = 'x'.repeat(100_000)
  for (let item = 0; item < 6; item++) {
    log.text(job.record, item, text)
    await log.changeState(job.record, { kind: 'loading', deviceId }, 'LOADING', {})
  }
  const whole = await store.countEvents(job.record.id)
  const sequences: number[] = []
  for (let before: number | null = null; ; before = sequences.at(-1) ?? null) {
    const page = await store.readEventPage(job.record.id, 100, before)
    if (page.length === 0) break
    const chars = page.reduce((sum, { body }) => sum + (body.kind === 'text' ? body.text.length : 0), 0)
    expect(chars).toBeLessThanOrEqual(400_000)
    sequences.push(...page.map(({ sequence }) => sequence))
  }
  expect(sequences).toHaveLength(whole)
  expect(sequences).toEqual([...new Set(sequences)].sort((one, other) => other - one))
})
