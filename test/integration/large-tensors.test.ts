/** Large outputs of real workers: in shared memory where there is room, in chunks where there is none, and never a byte of them wrong. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TensorMemory } from '../../src/runtime/memory/tensor-memory.ts'
import type { LargeTensor, Tensor } from '../../src/runtime/workers/tensors.ts'
import type { WorkerId } from '../../src/scheduler/ids.ts'
import { noop, RealPool, withoutSlabs } from '../support/real-pool.ts'
import { bytesOf, counting, kib, mib, release, tensorMemory, tensorsIn } from '../support/tensor-memory.ts'
import { until } from '../support/until.ts'

let lastTask = 0

async function outputOf(real: RealPool, worker: WorkerId, tensorBytes: readonly number[]) {
  lastTask += 1
  const taskId = lastTask
  real.pool.admit(worker, [noop(taskId, { tensorBytes })])
  return tensorsIn(await real.reported(taskId, 'done'))
}

/** Runs a task and reads what it gave. */
async function roundTrip(real: RealPool, worker: WorkerId, tensorBytes: readonly number[]): Promise<void> {
  const tensors = await outputOf(real, worker, tensorBytes)
  expect(tensors.map(({ shape }) => shape)).toEqual(tensorBytes.map((size) => [size]))
  for (const [number, tensor] of tensors.entries())
    expect((await bytesOf(tensor)).equals(counting(number, tensorBytes[number] ?? 0))).toBe(true)
  release(tensors)
}

async function realPool(memory: TensorMemory): Promise<[RealPool, WorkerId]> {
  const real = new RealPool({}, { memory })
  return [real, await real.startNoop(1)]
}

function isHeldNowhere(memory: TensorMemory): boolean {
  return memory.info().inUseBytes === 0
}

describe('with shared memory', () => {
  test('outputs of any sizes come as they were made, and their memory is used again', async () => {
    const memory = await tensorMemory(32 * mib)
    const [real, worker] = await realPool(memory)
    await using _ = real
    const sizes = fc.oneof(fc.integer({ min: 0, max: 100 * kib }), fc.integer({ min: 0, max: 5 * mib }))
    await fc.assert(
      fc.asyncProperty(fc.array(sizes, { maxLength: 5 }), (tensorBytes) => roundTrip(real, worker, tensorBytes)),
      { numRuns: 60 },
    )
    await until('nothing is held any more', () => isHeldNowhere(memory))
    const { hits, sizeBytes, limitBytes, copiedBytes, droppedTransfers } = memory.info()
    expect(hits).toBeGreaterThan(20)
    expect(sizeBytes).toBeLessThanOrEqual(limitBytes)
    expect(copiedBytes).toBeGreaterThan(0)
    expect(droppedTransfers).toBe(0)
  })

  test('the first output of a size finds no room, the next ones do', async () => {
    const memory = await tensorMemory()
    const [real, worker] = await realPool(memory)
    await using _ = real
    await roundTrip(real, worker, [mib])
    await until('slabs are granted', () => memory.info().grantedBytes > 0)
    for (let round = 0; round < 20; round += 1) await roundTrip(real, worker, [mib])
    expect(memory.info()).toMatchObject({ misses: 1, hits: 20, fallbacks: 0, refusals: 0 })
    // One that is filled and one for the next: no more are made, however long it goes on.
    expect(memory.info().sizeBytes).toBeLessThanOrEqual(3 * mib)
  })

  test('several tensors of an output share a slab, each beginning where vector instructions want it', async () => {
    const memory = await tensorMemory()
    const [real, worker] = await realPool(memory)
    await using _ = real
    await roundTrip(real, worker, [900 * kib])
    await until('slabs are granted', () => memory.info().grantedBytes > 0)
    const tensors = await outputOf(real, worker, [40_001, 40_003, 40_007])
    expect(memory.info()).toMatchObject({ hits: 3, inUseBytes: mib })
    for (const [number, size] of [40_001, 40_003, 40_007].entries())
      expect((await bytesOf(tensors[number] as Tensor | LargeTensor)).equals(counting(number, size))).toBe(true)
    release(tensors.slice(0, 2))
    expect(memory.info().inUseBytes).toBe(mib)
    release(tensors)
    await until('the slab is back with the worker', () => isHeldNowhere(memory))
  })

  test('a pool that is full does not stop the work: chunks until there is room, then slabs again', async () => {
    const memory = await tensorMemory(3 * mib)
    const [real, worker] = await realPool(memory)
    await using _ = real
    await roundTrip(real, worker, [mib, mib, mib])
    await until('the pool is granted', () => memory.info().grantedBytes === 3 * mib)
    const { misses } = memory.info()
    const held = [await outputOf(real, worker, [mib, mib]), await outputOf(real, worker, [mib])]
    expect(memory.info()).toMatchObject({ hits: 3, misses, inUseBytes: 3 * mib, grantedBytes: 0 })
    for (let round = 0; round < 3; round += 1) await roundTrip(real, worker, [mib])
    expect(memory.info()).toMatchObject({ hits: 3, misses: misses + 3 })
    await until('the worker was told that there is no more', () => memory.info().refusals > 0)
    for (const tensors of held)
      for (const [number, tensor] of tensors.entries())
        expect((await bytesOf(tensor)).equals(counting(number, mib))).toBe(true)
    release(held.flat())
    await until('the slabs are back', () => memory.info().grantedBytes === 3 * mib)
    await roundTrip(real, worker, [mib])
    expect(memory.info()).toMatchObject({ hits: 4, misses: misses + 3 })
  })

  test('a worker that loads a model gets the slabs that it will fill before its first task', async () => {
    const memory = await tensorMemory()
    const [real, first] = await realPool(memory)
    await using _ = real
    await roundTrip(real, first, [200 * kib])
    await until('slabs are granted', () => memory.info().grantedBytes > 0)
    await roundTrip(real, first, [200 * kib])
    await until('the first has one, and one more for the next', () => memory.info().grantedBytes === 512 * kib)
    const second = await real.startNoop(2)
    await until('the second has one too', () => memory.info().grantedBytes === 768 * kib)
    await roundTrip(real, second, [200 * kib])
    expect(memory.info()).toMatchObject({ hits: 2, misses: 1 })
  })

  test('slabs that a worker does not use are called back for one that needs them', async () => {
    const memory = await tensorMemory(2 * mib)
    const [real, first] = await realPool(memory)
    await using _ = real
    await roundTrip(real, first, [mib, mib])
    await until('the first has the whole pool', () => memory.info().grantedBytes === 2 * mib)
    const second = await real.startNoop(2)
    const before = memory.info().hits
    await until('the second has slabs', async () => {
      await roundTrip(real, second, [200 * kib])
      return memory.info().hits > before
    })
    expect(memory.info().sizeBytes).toBeLessThanOrEqual(2 * mib)
    await roundTrip(real, first, [mib, mib])
  })

  test('a tensor larger than any slab comes in chunks', async () => {
    const memory = await tensorMemory(8 * mib)
    const [real, worker] = await realPool(memory)
    await using _ = real
    await roundTrip(real, worker, [40 * mib])
    await roundTrip(real, worker, [40 * mib])
    expect(memory.info()).toMatchObject({ hits: 0, misses: 2, sizeBytes: 0 })
  })
})

describe('without shared memory', () => {
  test('outputs of any sizes come in chunks, as they were made', async () => {
    const memory = withoutSlabs()
    const [real, worker] = await realPool(memory)
    await using _ = real
    for (const tensorBytes of [[33 * kib], [mib, 1, 40_001], [3 * mib + 1, 64 * kib], [20 * mib]])
      await roundTrip(real, worker, tensorBytes)
    const { problem, hits, fallbacks, misses, sizeBytes } = memory.info()
    expect({ hits, fallbacks, misses, sizeBytes }).toEqual({ hits: 0, fallbacks: 6, misses: 0, sizeBytes: 0 })
    expect(problem).toMatch(/\.$/)
  })

  test('hundreds of megabytes leave the memory of the server flat', async () => {
    const sizeBytes = 384 * mib
    const [real, worker] = await realPool(withoutSlabs())
    await using _ = real
    const before = process.memoryUsage().rss
    let peak = before
    const look = () => {
      peak = Math.max(peak, process.memoryUsage().rss)
    }
    const watch = setInterval(look, 10)
    const [tensor] = await outputOf(real, worker, [sizeBytes])
    let bytes = 0
    for await (const piece of (tensor as LargeTensor).region.pieces()) {
      bytes += piece.length
      look()
    }
    clearInterval(watch)
    release([tensor as LargeTensor])
    expect(bytes).toBe(sizeBytes)
    expect(peak - before).toBeLessThan(sizeBytes / 2)
  })

  test.each([{}, { HEARTH_WITHOUT: 'adaptive-chunks' }])(
    'hundreds of outputs at once, with %o',
    async (environment) => {
      await using real = new RealPool({}, { environment })
      const worker = await real.startNoop(1)
      const first = lastTask + 1
      lastTask += 250
      const tasks = Array.from({ length: 250 }, (_, index) =>
        noop(first + index, { tensorBytes: [40 * kib, 300 * kib] }),
      )
      real.pool.admit(worker, tasks)
      for (const { taskId } of tasks) {
        const tensors = tensorsIn(await real.reported(taskId, 'done'))
        expect((await bytesOf(tensors[1] as Tensor | LargeTensor)).equals(counting(1, 300 * kib))).toBe(true)
        release(tensors)
      }
      expect(real.memory.info()).toMatchObject({ fallbacks: 500, droppedTransfers: 0 })
    },
  )
})
