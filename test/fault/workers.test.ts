/** Workers that misbehave in every way that bytes and processes allow: each gives a typed end, nothing hangs, nothing stays behind. */
import { readdirSync, readFileSync, stat } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { defaultWorkerLimits } from '../../src/runtime/workers/worker-limits.ts'
import { FakePool, fakeWorker } from '../support/fake-pool.ts'
import { isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'

describe('a worker that breaks the protocol is ended, and the breach is named', () => {
  test.each([
    ['bad-magic', 'must begin with the magic 48 52 54 01, not with 4a 55 4e 4b'],
    ['oversized', 'at most 16777216 bytes of metadata; 2147483648 were announced'],
    ['oversized-payload', 'at most 16777216 bytes of payload; 2147483648 were announced'],
    ['unknown-type', 'must have a type from 64 to 80, not 99'],
    ['metadata-is-noise', 'Metadata must be one MessagePack value'],
    ['metadata-is-wrong', '`entries` of STEPS must be a list, not "none"'],
    ['task-of-nobody', '`done` came for task 77, which this worker does not have'],
    ['component-of-nobody', '`COMPONENT_LOADED` came for "vae" of model 1, which is not being loaded'],
    ['revoked-by-nobody', 'REVOKED came to request 7, which was no REVOKE'],
    ['acknowledges-the-future', 'The worker acknowledged request 1000'],
    ['wrong-epoch', '`epoch` of HELLO must be 1, not 999999'],
    ['says-something-and-dies', "A worker's first frame must be HELLO, not ack"],
    ['half-a-frame-then-leaves', 'The stream ended inside a frame'],
    ['closes-and-stays', 'It closed its stream and went on running'],
  ])('%s', async (scenario, detail) => {
    await using fake = new FakePool(scenario)
    const { pid } = fake
    const end = await fake.end()
    expect(end.cause).toBe('protocol_error')
    expect(end.detail).toContain(detail)
    await until('the process is gone', async () => !(await isAlive(pid)))
    expect(fake.pool.describe()).toEqual([])
  })
})

describe('a worker that never comes to life', () => {
  test('because it dies first', async () => {
    await using fake = new FakePool('dies-before-hello')
    expect(await fake.end()).toEqual({ cause: 'spawn_failed', detail: 'It exited with status 3 before it said hello.' })
  })

  test('because it says nothing in time', async () => {
    await using fake = new FakePool('silent', { helloMsMax: 200 })
    const { pid } = fake
    expect(await fake.end()).toEqual({ cause: 'spawn_failed', detail: 'It said no hello within 200 ms.' })
    expect(await isAlive(pid)).toBe(false)
  })

  test('because its program is not there', async () => {
    await using fake = new FakePool('well-behaved', {}, '/nowhere/python')
    const end = await fake.end()
    expect(end.cause).toBe('spawn_failed')
    expect(end.detail).toContain('ENOENT')
  })
})

describe('a worker that is killed', () => {
  test('is told as such, even in the middle of a frame', async () => {
    await using fake = new FakePool('half-a-frame-then-killed')
    expect(await fake.end()).toEqual({ cause: 'signal', detail: 'It was ended by SIGKILL.' })
  })

  test('still has its say: what it wrote before counts, though writing to it fails first', async () => {
    await using fake = new FakePool('many-then-die')
    await fake.ready()
    fake.admit(...Array.from({ length: 100 }, (_, index) => index + 1))
    const { pid } = fake
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    // Its reports must lie unread when the next write meets the closed stream. So this process looks away until the worker is gone, and does so
    // while it handles input: what is to be written goes out right after that, before input is looked for again.
    await new Promise<void>((resolve) => {
      stat('/', () => {
        waitWithoutReading(pid)
        fake.admit(101)
        resolve()
      })
    })
    expect((await fake.end()).cause).toBe('signal')
    expect(fake.listener.of('stepsReported').flatMap(([, , entries]) => entries)).toHaveLength(100)
    expect(fake.listener.told.at(-1)?.[0]).toBe('workerExited')
  })

  test('takes along what it has started', async () => {
    await using fake = new FakePool('keeps-descriptor-in-a-child')
    await fake.ready()
    fake.admit(1)
    expect(await fake.end()).toEqual({ cause: 'exit_code', detail: 'It exited with status 1 without being asked.' })
  })

  test('is not waited for when what it has started escapes with its stream', async () => {
    await using fake = new FakePool('keeps-descriptor-in-a-child escaping')
    await fake.ready()
    fake.admit(1)
    expect((await fake.end()).cause).toBe('exit_code')
  })
})

describe('a worker that hangs is killed', () => {
  const times = { silentIdleMs: 300, stuckIdleMs: 300, stepMsMin: 500, stepMsMax: 500, loadMsMax: 500 }
  const liveness = { ...defaultWorkerLimits.liveness, ...times }

  test.each(['never-acknowledges', 'stalls'])('%s', async (scenario) => {
    await using fake = new FakePool(scenario, { liveness })
    await fake.ready()
    fake.admit(1)
    const end = await fake.end()
    expect(end.cause).toBe('signal')
    expect(end.detail).toMatch(/^It was killed because it hung: it has not answered for .* s/)
    expect(fake.listener.of('log').some(([, , level]) => level === 'error')).toBe(true)
  })

  test('when it answers and takes nothing', async () => {
    await using fake = new FakePool('answers-without-acknowledging', { liveness })
    await fake.ready()
    expect((await fake.end()).detail).toContain('it has not answered')
  })

  test('when it was stopped from outside', async () => {
    await using fake = new FakePool('well-behaved', { liveness })
    await fake.ready()
    process.kill(fake.pid, 'SIGSTOP')
    expect((await fake.end()).detail).toContain('does nothing')
  })

  test('but not while it answers', async () => {
    await using fake = new FakePool('well-behaved', { liveness })
    await fake.ready()
    await expect(until('it is given up', () => fake.listener.of('workerExited')[0], 1000)).rejects.toThrow()
    expect(fake.pool.describe()).toMatchObject([{ state: 'READY' }])
  })
})

test('a flood on standard output costs bounded log, and the worker goes on', async () => {
  await using fake = new FakePool('floods')
  await until('the end of the flood', () =>
    fake.listener.of('log').some(([, , , message]) => message.includes('left out')),
  )
  fake.pool.stop(fakeWorker)
  expect((await fake.end()).cause).toBe('requested')
  const records = fake.listener.of('log').map(([, , , message]) => message)
  expect(records.reduce((sum, message) => sum + message.length, 0)).toBeLessThan(3 * 1024 * 1024)
  expect(Math.max(...records.map(({ length }) => length))).toBeLessThanOrEqual(8192)
})

test('workers that come and go leave no open files behind', async () => {
  const countFiles = () => readdirSync('/proc/self/fd').length
  await (await useOnce('dies-before-hello')).end()
  const before = countFiles()
  for (const scenario of ['dies-before-hello', 'bad-magic', 'half-a-frame-then-killed', 'half-a-frame-then-leaves'])
    await (await useOnce(scenario)).end()
  await until('all are closed', () => countFiles() <= before, 2000)
})

describe('stopping', () => {
  test('ends a worker in peace', async () => {
    await using fake = new FakePool('well-behaved')
    await fake.ready()
    fake.pool.stop(fakeWorker)
    expect(fake.pool.describe()).toMatchObject([{ state: 'STOPPING' }])
    expect(await fake.end()).toEqual({ cause: 'requested', detail: 'It was asked to stop.' })
  })

  test('ends one that does not want to', async () => {
    await using fake = new FakePool('refuses-to-stop')
    await fake.ready()
    const { pid } = fake
    await fake.pool.close()
    expect((await fake.end()).cause).toBe('requested')
    expect(await isAlive(pid)).toBe(false)
  })

  test('ends one that has not said hello yet', async () => {
    await using fake = new FakePool('silent')
    fake.pool.stop(fakeWorker)
    expect((await fake.end()).cause).toBe('requested')
  })

  test('closes the pool for good', async () => {
    await using fake = new FakePool('well-behaved')
    await fake.pool.close()
    expect(fake.pool.describe()).toEqual([])
    expect(() =>
      fake.pool.spawn({
        workerId: fakeWorker,
        deviceId: 1 as never,
        engine: 'none',
        threads: 1,
        cores: [],
        privateBytesMax: null,
      }),
    ).toThrow('closed')
  })
})

async function useOnce(scenario: string): Promise<FakePool> {
  await using fake = new FakePool(scenario)
  await fake.end()
  return fake
}

/** Blocks this process until another one is a zombie, which it stays until this one reaps it. */
function waitWithoutReading(pid: number): void {
  const view = new Int32Array(new SharedArrayBuffer(4))
  const end = performance.now() + 5000
  while (performance.now() < end && !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1')))
    Atomics.wait(view, 0, 0, 5)
}
