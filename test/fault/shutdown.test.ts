import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { dataFolder } from '../support/data-folder.ts'
import { Hearth } from '../support/hearth.ts'
import { isFinal, watch } from '../support/job-log.ts'
import { serial, withModels } from '../support/models.ts'
import { descendants, isAlive } from '../support/processes.ts'
import { startServer } from '../support/servers.ts'
import { noop, picture, submit, submitAll, text, trySubmit } from '../support/submissions.ts'
import { until } from '../support/until.ts'
import { killWorker, workerOf } from '../support/workers.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const endless = { steps: 100_000, stepMs: 5 }

test('a server that is asked to end finishes what runs, exits with 0, and leaves nothing behind', async () => {
  const dataDir = await dataFolder()
  const first = await startServer({ dataDir })
  const id = await submit(first, noop({ value: 'finished', steps: 40, stepMs: 10 }))
  const log = watch(first, id)
  await log.event('JobStarted')
  const workers = await descendants(first.pid)
  expect(await first.stop()).toBe(0)
  for (const pid of workers) expect(await isAlive(pid)).toBe(false)

  const second = await startServer({ dataDir })
  const whole = watch(second, id)
  await whole.final()
  expect(whole.types).not.toContain('JobRequeued')
  expect(whole.events.filter(isFinal)).toMatchObject([{ __typename: 'JobSucceeded' }])
  await second.stop()
})

test('what cannot finish in time, and what waits, is kept for the next server', async () => {
  const dataDir = await dataFolder()
  const first = await startServer({ dataDir, environment: { HEARTH_SHUTDOWN_GRACE_MS: '300' } })
  const long = await submit(first, noop({ steps: 200, stepMs: 10, value: 'long' }))
  await watch(first, long).event('JobStarted')
  const waiting = await submitAll(
    first,
    Array.from({ length: 150 }, (_, value) => noop({ value, steps: 3, stepMs: 5 })),
  )
  const beganAt = performance.now()
  expect(await first.stop()).toBe(0)
  expect(performance.now() - beganAt).toBeLessThan(5000)

  const second = await startServer({ dataDir })
  for (const id of [long, ...waiting]) {
    const log = watch(second, id)
    expect((await log.final()).__typename).toBe('JobSucceeded')
    expect(log.events.filter(isFinal)).toHaveLength(1)
  }
  await second.stop()
})

test('a picture that cannot finish in time goes on where the server stopped it, though checkpoints are never due', async () => {
  const dataDir = await dataFolder()
  const environment = { HEARTH_CHECKPOINT_STEPS: '0', HEARTH_SHUTDOWN_GRACE_MS: '1000' }
  const first = await startServer({ dataDir, environment })
  const long = picture({ steps: 100, seed: 5 })
  const undisturbed = (await watch(first, await submit(first, long)).output()).images?.[0]?.image?.sha256
  // They share its steps, so that it cannot be done in time.
  await submitAll(
    first,
    Array.from({ length: 3 }, (_, seed) => picture({ steps: 100, seed })),
  )
  const log = watch(first, await submit(first, long))
  const { jobId } = await log.reaches('step 5', ({ step = 0 }) => step >= 5)
  expect(await first.stop()).toBe(0)
  await log.ended.catch(() => {})
  const lastSeen = Math.max(...log.events.map(({ step = 0 }) => step))

  const second = await startServer({ dataDir, environment })
  const rest = watch(second, jobId)
  const requeued = await rest.event('JobRequeued')
  expect(requeued.fromStep).toBeGreaterThanOrEqual(lastSeen)
  expect((await rest.output()).images?.[0]?.image?.sha256).toBe(undisturbed)
  await second.stop()
}, 60_000)

test('a server that is ending takes no new jobs and says that it is not ready', async () => {
  const hearth = await startServer({ environment: { HEARTH_SHUTDOWN_GRACE_MS: '1500' } })
  const id = await submit(hearth, noop(endless))
  await watch(hearth, id).event('JobStarted')
  process.kill(hearth.pid, 'SIGTERM')
  const refused = await until('a submission is refused', () =>
    trySubmit(hearth, noop()).then(
      (answer) => (answer.job ? null : (answer.limit ?? answer.message)),
      // The door may be closed already, which is a refusal too.
      () => 'closed',
    ),
  )
  expect(['draining', 'closed']).toContain(refused)
  const readiness = await fetch(`${new URL(hearth.url).origin}/readyz`).then(
    ({ status }) => status,
    () => 'closed',
  )
  expect([503, 'closed']).toContain(readiness)
  expect(await hearth.stop()).not.toBe('SIGTERM')
})

test('a second signal ends the server at once', async () => {
  const hearth = await startServer({ environment: { HEARTH_SHUTDOWN_GRACE_MS: '60000' } })
  await watch(hearth, await submit(hearth, noop(endless))).event('JobStarted')
  const workers = await descendants(hearth.pid)
  // A second signal right after the first is taken for the same one, so it is sent until it is understood.
  const signalled = async () => {
    if (await isAlive(hearth.pid)) process.kill(hearth.pid, 'SIGTERM')
    return !(await isAlive(hearth.pid))
  }
  await until('the server has ended', signalled, 5000)
  for (const pid of workers) await until(`process ${pid} has ended`, async () => !(await isAlive(pid)), 5000)
})

test('readers of a job are let go when the server ends, and find its end at the next one', async () => {
  const dataDir = await dataFolder()
  const first = await startServer({ dataDir, environment: { HEARTH_SHUTDOWN_GRACE_MS: '300' } })
  const log = watch(first, await submit(first, text({ prompt: 'Write a very long story.', maxTokens: 120 })))
  const { jobId } = await log.event('TextDelta')
  expect(await first.stop()).toBe(0)
  await log.ended.catch(() => {})

  const second = await startServer({ dataDir })
  const rest = watch(second, jobId, { after: log.events.at(-1)!.cursor })
  const { output } = await rest.final()
  let shown = ''
  for (const { offset, text: piece } of [...log.events, ...rest.events])
    if (piece !== undefined) shown = shown.slice(0, offset) + piece
  expect(shown).toBe(output?.text)
  await second.stop()
})

test('a server that only stood there ends at once', async () => {
  const hearth = await startServer()
  const beganAt = performance.now()
  expect(await hearth.stop()).toBe(0)
  expect(performance.now() - beganAt).toBeLessThan(3000)
})

test('a server whose output nobody reads any more goes on, and ends in order', async () => {
  const dataDir = await dataFolder()
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(await withModels(serial)), HEARTH_PORT: '0', HEARTH_DATA_DIR: dataDir },
  })
  const hearth = new Hearth(child, dataDir, null)
  onTestFinished(() => hearth.kill())
  await hearth.readyWithin(20_000)
  child.stdout.destroy()
  child.stderr.destroy()
  const id = await submit(hearth, noop({ steps: 20, stepMs: 10 }, { model: 'serial' }))
  // A dead worker is worth a line in the log, which nobody reads.
  killWorker(await workerOf(hearth, id))
  expect((await watch(hearth, id).final()).__typename).toBe('JobSucceeded')
  expect(await hearth.stop()).toBe(0)
})
