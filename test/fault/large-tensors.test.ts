/** Whoever dies while large tensors are on their way: what had come stays right, and no memory is lost or given away too early. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { TensorMemory } from '../../src/runtime/memory/tensor-memory.ts'
import type { LargeTensor, Tensor } from '../../src/runtime/workers/tensors.ts'
import { dataFolder } from '../support/data-folder.ts'
import { isAlive } from '../support/processes.ts'
import { noop, RealPool, withoutSlabs } from '../support/real-pool.ts'
import {
  bytesOf,
  counting,
  kib,
  mib,
  release,
  sharedFolder,
  tensorMemory,
  tensorsIn,
} from '../support/tensor-memory.ts'
import { until } from '../support/until.ts'

const sizes = [100 * kib, 700 * kib, 2 * mib]
const expected = sizes.map((size, number) => counting(number, size))

async function expectRight(tensors: readonly (Tensor | LargeTensor)[]): Promise<void> {
  for (const [number, tensor] of tensors.entries())
    expect((await bytesOf(tensor)).equals(expected[number] as Buffer)).toBe(true)
}

function script(name: string): string {
  return fileURLToPath(new URL(`../support/${name}`, import.meta.url))
}

describe('a worker that is killed', () => {
  test('leaves what it had filled readable, and gives up the rest', async () => {
    const memory = await tensorMemory(16 * mib)
    await using real = new RealPool({}, { memory })
    const worker = await real.startNoop(1)
    real.pool.admit(worker, [noop(1, { tensorBytes: sizes })])
    release(tensorsIn(await real.reported(1, 'done')))
    await until('it has slabs', () => memory.info().grantedBytes > 0)
    real.pool.admit(worker, [noop(2, { tensorBytes: sizes })])
    const tensors = tensorsIn(await real.reported(2, 'done'))
    const { inUseBytes } = memory.info()
    expect(inUseBytes).toBeGreaterThan(0)
    process.kill(real.pool.describe()[0]?.pid ?? 0, 'SIGKILL')
    await real.end(worker)
    expect(memory.info()).toMatchObject({ grantedBytes: 0, inUseBytes })

    // Another worker fills slabs of its own meanwhile.
    const next = await real.startNoop(2)
    real.pool.admit(next, [noop(3, { tensorBytes: sizes }), noop(4, { tensorBytes: sizes })])
    await expectRight(tensorsIn(await real.reported(4, 'done')))
    await expectRight(tensors)
    release(tensors)
    for (const task of [3, 4]) release(tensorsIn(await real.reported(task, 'done')))
    await until('nothing is in use', () => memory.info().inUseBytes === 0)
  })

  test.each<[string, () => Promise<TensorMemory>]>([
    ['slabs', () => tensorMemory(12 * mib)],
    ['chunks', async () => withoutSlabs()],
  ])('at any moment, with %s, has said nothing wrong, and leaves nothing', async (_, open) => {
    const memory = await open()
    await using real = new RealPool({}, { memory })
    for (let round = 1; round <= 8; round += 1) {
      const worker = await real.startNoop(round, 3)
      const tasks = Array.from({ length: 30 }, (__, index) => noop(round * 100 + index, { tensorBytes: sizes }))
      real.pool.admit(worker, tasks)
      const { pid } = real.pool.describe().find(({ workerId }) => workerId === worker) ?? {}
      // After another number of outputs in every round.
      const enough = tasks[(round - 1) * 3]?.taskId ?? 0
      await real.reported(enough, 'done')
      process.kill(pid ?? 0, 'SIGKILL')
      await real.end(worker)
      const done = tasks.flatMap(({ taskId }) => real.entriesOf(taskId).filter((entry) => entry.kind === 'done'))
      expect(done.length).toBeGreaterThan((round - 1) * 3)
      for (const entry of done) {
        await expectRight(tensorsIn(entry))
        release(tensorsIn(entry))
      }
      expect(memory.info()).toMatchObject({ grantedBytes: 0, inUseBytes: 0 })
    }
  })
})

test('a server that is killed leaves a folder, which the next one removes', async () => {
  const parent = await sharedFolder()
  const child = spawn(process.execPath, [script('parent-of-slabs.ts'), parent, await dataFolder()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const workers = JSON.parse(line) as readonly number[]
  child.kill('SIGKILL')
  await exited
  const [left = ''] = readdirSync(parent)
  expect(readdirSync(join(parent, left)).length).toBeGreaterThan(0)
  for (const pid of workers) await until('its worker is gone', async () => !(await isAlive(pid)))
  await tensorMemory(mib, parent)
  expect(readdirSync(parent)).not.toContain(left)
})

const mounting = ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=1m none /mnt']
const canMount = spawnSync('unshare', mounting).status === 0

/** Runs a script of test/support with a file system of that size, which it is told the folder of; what it prints. */
async function runIn<Printed>(sizeMiB: number, name: string): Promise<Printed> {
  const mount = `mount -t tmpfs -o size=${sizeMiB}m none "$1" && shift && exec "$@"`
  const [folder, transfers] = [await dataFolder(), await dataFolder()]
  const program = [process.execPath, script(name), folder, transfers]
  const command = ['-rm', 'sh', '-c', mount, 'sh', folder, ...program]
  return JSON.parse(execFileSync('unshare', command, { encoding: 'utf8' })) as Printed
}

test.skipIf(!canMount)(
  'a disk that is full holds a worker back, and loses nothing (needs user namespaces)',
  async () => {
    const printed = await runIn<object>(8, 'small-transfer-folder.ts')
    expect(printed).toEqual({
      whileFull: { state: 'BUSY', entries: [] },
      bytes: 64 * mib,
      wrongBytes: 0,
      ends: 0,
    })
  },
)

describe.skipIf(!canMount)('shared memory that is small (needs user namespaces)', () => {
  type Printed = Record<'first' | 'last', ReturnType<TensorMemory['info']>> & { readonly wrongBytes: number }

  test('is used up to its half; when it is full, outputs come in chunks', async () => {
    const { first, last, wrongBytes } = await runIn<Printed>(20, 'small-shared-memory.ts')
    expect(first).toMatchObject({ problem: null, misses: 1, hits: 4 })
    expect(first.limitBytes).toBeLessThanOrEqual(10 * mib)
    expect(last.hits + last.misses).toBe(10)
    expect(last.misses).toBeGreaterThan(first.misses)
    expect(last.refusals).toBeGreaterThan(0)
    expect(wrongBytes).toBe(0)
  })

  test('is not used at all below 16 MiB, and it is said why', async () => {
    const { first, last, wrongBytes } = await runIn<Printed>(8, 'small-shared-memory.ts')
    expect(first.problem).toMatch(
      /^Large tensors go in chunks, because .* bytes free, and at least 16777216 are needed\.$/,
    )
    expect(last).toMatchObject({ hits: 0, fallbacks: 10, sizeBytes: 0 })
    expect(wrongBytes).toBe(0)
  })
})
