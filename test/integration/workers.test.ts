/** The pool and real Python workers with the no-op program. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultWorkerLimits } from '../../src/runtime/workers/worker-limits.ts'
import type { TaskId, WorkerId } from '../../src/scheduler/ids.ts'
import { isAlive } from '../support/processes.ts'
import { noop, noopVersion, RealPool } from '../support/real-pool.ts'
import { until } from '../support/until.ts'

describe('one worker', () => {
  let real: RealPool
  let worker: WorkerId

  beforeAll(async () => {
    real = new RealPool()
    worker = await real.startNoop(1)
  })
  afterAll(() => real.pool.close())

  test('says who it is, and what it weighs', () => {
    expect(real.pool.describe()).toMatchObject([
      { workerId: 1, engine: 'none', state: 'READY', pid: expect.any(Number) },
    ])
    const [, , facts] = real.listener.of('workerReady')[0]!
    expect(facts.programs).toContain('noop')
    expect(facts.versions).toHaveProperty('python')
    expect(facts.privateBytes).toBeGreaterThan(1024 * 1024)
  })

  test('gives back what it was given, whatever that is', async () => {
    const value = {
      text: 'Grüße 🌈',
      big: 2 ** 53 - 1,
      beyond32: 2 ** 32 + 5,
      negative: -(2 ** 40),
      half: 0.5,
      nothing: null,
      list: [true, [1]],
    }
    real.pool.admit(worker, [noop(2 ** 33 + 1, { value })])
    expect(await real.reported(2 ** 33 + 1, 'done')).toMatchObject({ output: { values: value }, stepsRun: 1 })
  })

  test('reports a task from its start over its steps to its end, in this order', async () => {
    real.pool.admit(worker, [noop(10, { steps: 3, stepMs: 15 })])
    await real.reported(10, 'done')
    const kinds = real.entriesOf(10).map(({ kind }) => kind)
    expect(kinds[0]).toBe('started')
    expect(kinds.at(-1)).toBe('done')
    expect(kinds.slice(1, -1).every((kind) => kind === 'step')).toBe(true)
  })

  test('runs many tasks that come one by one', async () => {
    const tasks = Array.from({ length: 2000 }, (_, index) => noop(100 + index, { value: index }))
    for (const task of tasks) real.pool.admit(worker, [task])
    await until('all are done', () => real.entriesOf(100 + 1999).some(({ kind }) => kind === 'done'))
    const done = real.listener
      .of('stepsReported')
      .flatMap(([, , entries]) =>
        entries.filter(({ kind, taskId }) => kind === 'done' && taskId >= 100 && taskId < 2100),
      )
    expect(done.map(({ taskId }) => taskId)).toEqual(tasks.map(({ taskId }) => taskId))
  })

  test('drops a task that is cancelled, and gives back one that has not started', async () => {
    await using alone = new RealPool()
    const single = await alone.startNoop(1, 1)
    alone.pool.admit(single, [noop(1, { steps: 1000, stepMs: 20 }), noop(2), noop(3)])
    await alone.reported(1, 'started')
    alone.pool.withdraw(single, [2 as TaskId])
    await alone.reported(2, 'withdrawn')
    alone.pool.cancel(single, [1 as TaskId])
    const { stepsRun } = await alone.reported(1, 'cancelled')
    expect(stepsRun).toBeLessThan(1000)
    await alone.reported(3, 'done')
    expect(alone.entriesOf(2).map(({ kind }) => kind)).toEqual(['withdrawn'])
  })

  test('fails a task whose time is over', async () => {
    real.pool.admit(worker, [noop(30, { steps: 100, stepMs: 20 }, { deadlineMs: 60 })])
    expect(await real.reported(30, 'failed')).toMatchObject({ code: 'deadline_exceeded' })
  })

  test('sends items only on credit, and all of them in the end', async () => {
    real.pool.admit(worker, [noop(40, { items: 20_000 }, { credit: 5000 })])
    const itemsOf = () => real.listener.of('partial').filter(([, , task]) => task === 40)
    const received = () => itemsOf().flatMap(([, , , values]) => values)
    await until('the credit is used up', () => itemsOf().at(-1)?.[4] === 0)
    expect(received()).toHaveLength(5000)
    expect(real.pool.describe()).toMatchObject([{ state: 'BUSY' }])
    real.pool.credit(worker, 40 as TaskId, 15_000)
    await real.reported(40, 'done')
    expect(received()).toEqual(Array.from({ length: 20_000 }, (_, item) => item))
  })

  test('unloads what it has loaded, and says why it cannot load', async () => {
    real.pool.load(worker, { versionId: noopVersion, manifest: { nonsense: true }, directory: '/', components: [] })
    await until('the load is refused', () => real.listener.of('modelLoadFailed')[0])
    expect(real.listener.of('modelLoadFailed')[0]).toMatchObject([
      'modelLoadFailed',
      1,
      noopVersion,
      { code: 'engine_error', retryable: false },
    ])
    real.pool.unload(worker, noopVersion)
    await until('the model is unloaded', () => real.listener.of('modelUnloaded')[0])
    real.pool.admit(worker, [noop(50)])
    expect((await real.reported(50, 'failed')).message).toContain('not loaded')
  })
})

describe('a worker that fails', () => {
  test('in the middle of a step names who shared that step, by what was started', async () => {
    await using real = new RealPool()
    const worker = await real.startNoop(1)
    real.pool.admit(worker, [noop(1, { exitAtStep: 1 }), noop(2, { steps: 50, stepMs: 10 })])
    expect(await real.end(worker)).toEqual({
      cause: 'exit_code',
      detail: 'It exited with status 86 without being asked.',
    })
    expect(real.entriesOf(1).map(({ kind }) => kind)).toEqual(['started'])
    expect(real.pool.describe()).toEqual([])
  })

  test('by hanging shows its stacks and is killed; others go on', async () => {
    await using real = new RealPool({
      pingIntervalMs: 100,
      liveness: { ...defaultWorkerLimits.liveness, silentIdleMs: 400, stuckIdleMs: 400 },
    })
    const [hanging, healthy] = [await real.startNoop(1), await real.startNoop(2)]
    real.pool.admit(hanging, [noop(1, { hangAtStep: 1 })])
    await until('it is seen to hang', () => real.pool.describe().some(({ state }) => state === 'HUNG'))
    expect((await real.end(hanging)).detail).toContain('its step has not ended')
    const log = real.listener
      .of('log')
      .map(([, , , message]) => message)
      .join('\n')
    expect(log).toContain('Thread 0x')
    expect(log).toContain('noop.py')
    real.pool.admit(healthy, [noop(2)])
    await real.reported(2, 'done')
  })

  test('by kill -9 with tasks in flight is told once, and never speaks again', async () => {
    await using real = new RealPool()
    const worker = await real.startNoop(1)
    real.pool.admit(
      worker,
      Array.from({ length: 20 }, (_, index) => noop(index + 1, { steps: 1000, stepMs: 5 })),
    )
    await real.reported(1, 'step')
    const killedAt = performance.now()
    process.kill(real.pool.describe()[0]?.pid ?? 0, 'SIGKILL')
    expect((await real.end(worker)).cause).toBe('signal')
    expect(performance.now() - killedAt).toBeLessThan(500)
    expect(real.listener.told.at(-1)?.[0]).toBe('workerExited')
  })
})

test('no worker outlives its server, not even one that is stuck in native code', async () => {
  const script = fileURLToPath(new URL('../support/parent-of-worker.ts', import.meta.url))
  const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise((resolve) => parent.once('exit', resolve))
  const [line] = await new Promise<string[]>((resolve) =>
    createInterface({ input: parent.stdout }).once('line', (text) => resolve([text])),
  )
  const workers = JSON.parse(line ?? '[]') as readonly { readonly pid: number }[]
  expect(workers).toHaveLength(2)
  parent.kill('SIGKILL')
  await exited
  for (const { pid } of workers) await until(`worker process ${pid} is gone`, async () => !(await isAlive(pid)), 2000)
})

test('a closed pool has no processes left', async () => {
  const real = new RealPool()
  await real.startNoop(1)
  await real.startNoop(2)
  const pids = real.pool.describe().map(({ pid }) => pid ?? 0)
  await real.pool.close()
  for (const pid of pids) expect(await isAlive(pid)).toBe(false)
  expect(real.listener.of('workerExited').map(([, , cause]) => cause)).toEqual(['requested', 'requested'])
})
