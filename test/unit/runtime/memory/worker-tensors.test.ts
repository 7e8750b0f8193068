/** What a worker may say of slabs and transfers, and what of it breaks the protocol. */
import { readdirSync, writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import type { TensorMemory } from '../../../../src/runtime/memory/tensor-memory.ts'
import type { WorkerTensors } from '../../../../src/runtime/memory/worker-tensors.ts'
import type { SlabName } from '../../../../src/runtime/workers/large-tensor-reports.ts'
import { ProtocolError } from '../../../../src/runtime/workers/protocol-error.ts'
import type { GrantedSlab, SlabRefusal } from '../../../../src/runtime/workers/requests.ts'
import type { TensorRegion } from '../../../../src/runtime/workers/tensors.ts'
import type { VersionId } from '../../../../src/scheduler/ids.ts'
import { kib, mib, sharedFolder, tensorMemory } from '../../../support/tensor-memory.ts'
import { until } from '../../../support/until.ts'

const version = 1 as VersionId
let memory: TensorMemory
let granted: GrantedSlab[]
let refused: SlabRefusal[]
let returned: SlabName[]
let recalled: SlabName[]
let held: boolean[]
let tensors: WorkerTensors

beforeEach(async () => {
  memory = await tensorMemory(4 * mib)
  ;({ granted, refused, returned, recalled, held, tensors } = aWorker())
})

function aWorker() {
  const seen = {
    granted: [] as GrantedSlab[],
    refused: [] as SlabRefusal[],
    returned: [] as SlabName[],
    recalled: [] as SlabName[],
    held: [] as boolean[],
  }
  const worker = memory.forWorker({
    messages: {
      grant: (slabs, refusal) => {
        seen.granted.push(...slabs)
        if (refusal) seen.refused.push(refusal)
      },
      giveBack: (slabs) => seen.returned.push(...slabs),
      recall: (slabs) => seen.recalled.push(...slabs),
    },
    onHold: (isHeld) => seen.held.push(isHeld),
  })
  return { ...seen, tensors: worker }
}

const slabsIn = (folder: string) => readdirSync(folder, { recursive: true }).filter((name) => name.includes('slab-'))
const noMessages = { grant: () => {}, giveBack: () => {}, recall: () => {} }

async function aSlab(sizeBytes = 100 * kib): Promise<GrantedSlab> {
  const before = granted.length
  tensors.request(sizeBytes, 1)
  return until('a slab is granted', () => granted[before])
}

function chunk(transfer: number, offset: number, totalBytes: number, data: string) {
  tensors.takeChunk({ kind: 'chunk', transfer, offset, totalBytes, data: Buffer.from(data) })
}

async function textOf(region: TensorRegion): Promise<string> {
  let text = ''
  for await (const piece of region.pieces()) text += Buffer.from(piece).toString()
  return text
}

describe('a slab', () => {
  test('is a file that belongs to this user alone, and holds what was asked for', async () => {
    const { sizeBytes, path } = await aSlab(100 * kib)
    expect(sizeBytes).toBe(256 * kib)
    writeFileSync(path, 'tensor', { flag: 'r+' })
  })

  test('is read where the worker says, and goes back under a new generation when all of it was released', async () => {
    const { slabId, generation, path } = await aSlab()
    writeFileSync(path, `${'x'.repeat(64)}first${'x'.repeat(59)}second`, { flag: 'r+' })
    const first = tensors.slab({ slabId, generation, offset: 64, length: 5 })
    const second = tensors.slab({ slabId, generation, offset: 128, length: 6 })
    tensors.endFrame([version])
    expect([await textOf(first), await textOf(second)]).toEqual(['first', 'second'])
    first.release()
    first.release()
    expect(memory.info().inUseBytes).toBe(256 * kib)
    second.release()
    await until('it is returned', () => returned.length > 0)
    expect(returned).toEqual([{ slabId, generation: generation + 1 }])
    await expect(textOf(first)).rejects.toThrow('after it had been released')
  })

  test('cannot be referred to by its earlier generation, nor while it is being read', async () => {
    const { slabId, generation } = await aSlab()
    const reference = { slabId, generation, offset: 0, length: 8 }
    const region = tensors.slab(reference)
    tensors.endFrame([version])
    expect(() => tensors.slab(reference)).toThrow('which an earlier frame has filled')
    region.release()
    await until('it is returned', () => returned.length > 0)
    expect(() => tensors.slab(reference)).toThrow(
      `generation ${generation} of slab ${slabId}, which this worker does not`,
    )
    tensors.slab({ ...reference, generation: generation + 1 })
  })

  test.each([
    ['beyond its end', { offset: 256 * kib - 64, length: 128 }],
    ['at an odd place', { offset: 8, length: 8 }],
  ])('cannot hold a tensor %s', async (_, place) => {
    const { slabId, generation } = await aSlab()
    expect(() => tensors.slab({ slabId, generation, ...place })).toThrow(ProtocolError)
  })

  test('of another worker is none of this one', async () => {
    const { slabId, generation } = await aSlab()
    const other = aWorker()
    expect(() => other.tensors.slab({ slabId, generation, offset: 0, length: 8 })).toThrow('does not have')
    expect(() => other.tensors.dropped([{ slabId, generation }])).toThrow(ProtocolError)
  })

  test('of a frame that is refused goes back', async () => {
    const { slabId, generation } = await aSlab()
    tensors.slab({ slabId, generation, offset: 0, length: 8 })
    tensors.discardFrame()
    await until('it is returned', () => returned.length > 0)
    expect(memory.info().inUseBytes).toBe(0)
  })

  test('of a worker that died is free at once, or when it has been read', async () => {
    const filled = await aSlab()
    await aSlab()
    writeFileSync(filled.path, 'last words', { flag: 'r+' })
    const region = tensors.slab({ slabId: filled.slabId, generation: filled.generation, offset: 0, length: 10 })
    tensors.endFrame([version])
    await until('the next is granted', () => memory.info().grantedBytes >= 256 * kib)
    tensors.close()
    expect(memory.info()).toMatchObject({ grantedBytes: 0, inUseBytes: 256 * kib })
    expect(await textOf(region)).toBe('last words')
    region.release()
    expect(memory.info()).toMatchObject({ grantedBytes: 0, inUseBytes: 0 })
    expect(returned).toEqual([])
    const other = aWorker()
    other.tensors.request(100 * kib, 2)
    await until('another worker gets them', () => other.granted.length === 2)
    const again = other.granted.find(({ slabId }) => slabId === filled.slabId)
    expect(again?.generation).toBeGreaterThan(filled.generation)
  })
})

describe('a request', () => {
  test('that the pool cannot meet is refused for a while, for this size and larger ones', async () => {
    tensors.request(mib, 6)
    await until('an answer', () => refused.length > 0)
    expect(granted).toHaveLength(4)
    expect(refused).toEqual([{ sizeBytes: 256 * kib + 1, pauseMs: 1000 }])
    expect(memory.info()).toMatchObject({ refusals: 1, sizeBytes: 4 * mib })
  })

  test('for what no slab will ever hold is refused for good', () => {
    tensors.request(5 * mib, 1)
    expect(refused).toEqual([{ sizeBytes: 4 * mib + 1, pauseMs: 3_600_000 }])
  })

  test('of a worker that cannot map what it was granted is refused from then on', async () => {
    const { slabId, generation } = await aSlab()
    tensors.dropped([{ slabId, generation }])
    expect(memory.info().grantedBytes).toBe(0)
    tensors.request(100 * kib, 1)
    expect(refused).toEqual([{ sizeBytes: 0, pauseMs: 3_600_000 }])
  })

  test('takes the memory of free slabs of other sizes', async () => {
    const { slabId, generation } = await aSlab(4 * mib)
    const worker = aWorker()
    tensors.close()
    expect(memory.info().freeBytes).toBe(4 * mib)
    worker.tensors.request(mib, 1)
    await until('it is granted', () => worker.granted.length > 0)
    expect(memory.info()).toMatchObject({ sizeBytes: mib, freeBytes: 0 })
    expect(worker.granted[0]).not.toMatchObject({ slabId, generation })
    expect(recalled).toEqual([])
  })
})

test('a slab that is still being made when the server ends is gone when it has ended', async () => {
  const shared = await sharedFolder()
  const ending = await tensorMemory(16 * mib, shared)
  const worker = ending.forWorker({ messages: noMessages, onHold: () => {} })
  worker.request(mib, 16)
  await until('the first is being made', () => ending.info().sizeBytes >= mib && slabsIn(shared).length > 0)
  worker.close()
  await ending.close()
  expect(readdirSync(shared)).toEqual([])
  expect(ending.info().sizeBytes).toBe(0)
})

describe('a free slab', () => {
  test('is kept where giving it up would not make room enough', async () => {
    const [small, large] = [aWorker(), aWorker()]
    small.tensors.request(mib, 1)
    await until('it is granted', () => small.granted.length > 0)
    tensors.request(mib, 1)
    await until('another one too', () => granted.length > 0)
    small.tensors.close()
    large.tensors.request(4 * mib, 1)
    await until('there is none so large', () => large.refused.length > 0)
    expect(memory.info()).toMatchObject({ freeBytes: mib, grantedBytes: mib })
  })
})

describe('a transfer', () => {
  test('is put together from its chunks', async () => {
    chunk(1, 0, 10, 'hello')
    chunk(1, 5, 10, 'world')
    const region = tensors.transfer({ id: 1, length: 10 })
    tensors.endFrame([version])
    expect(await textOf(region)).toBe('helloworld')
    region.release()
    expect(memory.info()).toMatchObject({ misses: 1, droppedTransfers: 0 })
  })

  test.each<[string, () => void]>([
    ['begins in its middle', () => chunk(1, 5, 10, 'world')],
    ['leaves a hole', () => (chunk(1, 0, 10, 'he'), chunk(1, 3, 10, 'lo'))],
    ['repeats itself', () => (chunk(1, 0, 10, 'hello'), chunk(1, 0, 10, 'hello'))],
    ['changes its length', () => (chunk(1, 0, 10, 'hello'), chunk(1, 5, 11, 'world'))],
    ['comes between the chunks of another', () => (chunk(1, 0, 10, 'hello'), chunk(2, 0, 5, 'world'))],
    ['has a number that was there before', () => (chunk(2, 0, 5, 'hello'), chunk(1, 0, 5, 'world'))],
    ['is larger than any may be', () => chunk(1, 0, 2 ** 31, 'hello')],
  ])('that %s breaks the protocol', (_, say) => {
    expect(say).toThrow(ProtocolError)
  })

  test('can be referred to once, whole, and by its length', () => {
    chunk(1, 0, 10, 'hello')
    expect(() => tensors.transfer({ id: 1, length: 10 })).toThrow('has not come')
    chunk(1, 5, 10, 'world')
    expect(() => tensors.transfer({ id: 1, length: 8 })).toThrow('has 10 bytes, not 8')
    tensors.transfer({ id: 1, length: 10 })
    expect(() => tensors.transfer({ id: 1, length: 10 })).toThrow('has not come')
  })

  test('is one of at most 1,024 before a frame', () => {
    for (let id = 1; id <= 1024; id += 1) chunk(id, 0, 1, 'x')
    expect(() => chunk(1025, 0, 1, 'x')).toThrow('at most 1024 transfers')
    tensors.endFrame([])
    chunk(1025, 0, 1, 'x')
  })

  test('that the next frame does not refer to is dropped and counted', () => {
    chunk(1, 0, 5, 'hello')
    tensors.endFrame([])
    expect(() => tensors.transfer({ id: 1, length: 5 })).toThrow(ProtocolError)
    expect(memory.info().droppedTransfers).toBe(1)
  })

  test('that a death has cut off is dropped and counted', () => {
    chunk(1, 0, 10, 'hello')
    tensors.close()
    expect(memory.info().droppedTransfers).toBe(1)
  })

  test('of many bytes waits in a file, and the worker is held back while it is written', async () => {
    const piece = Buffer.alloc(8 * mib, 7)
    for (let part = 0; part < 6; part += 1)
      tensors.takeChunk({
        kind: 'chunk',
        transfer: 1,
        offset: part * piece.length,
        totalBytes: 6 * piece.length,
        data: piece,
      })
    expect(held).toEqual([true])
    await until('it is let go', () => held.length === 2)
    expect(held).toEqual([true, false])
    const region = tensors.transfer({ id: 1, length: 6 * piece.length })
    let bytes = 0
    for await (const part of region.pieces()) {
      expect(part.length).toBeLessThanOrEqual(mib)
      expect(part.every((byte) => byte === 7)).toBe(true)
      bytes += part.length
    }
    expect(bytes).toBe(6 * piece.length)
    region.release()
  })
})

describe('what tasks hand to each other', () => {
  const sums = (tensors: number, bytes: number, copiedBytes: number, gatheredBytes = 0) => ({
    tensors,
    bytes,
    copiedBytes,
    gatheredBytes,
  })

  test('is summed over all workers, each of which counts from its own start', () => {
    tensors.handedOver(sums(2, 200, 0))
    aWorker().tensors.handedOver(sums(1, 50, 50))
    tensors.handedOver(sums(2, 200, 0))
    tensors.handedOver(sums(5, 500, 100, 70))
    tensors.close()
    aWorker().tensors.handedOver(sums(1, 10, 0, 20))
    expect(memory.info()).toMatchObject({
      handedTensors: 7,
      handedBytes: 560,
      handOverCopiedBytes: 150,
      gatheredBytes: 90,
    })
  })

  test.each([sums(1, 200, 10, 5), sums(2, 199, 10, 5), sums(2, 200, 9, 5), sums(2, 200, 10, 4)])(
    'never becomes less: %o',
    (fewer) => {
      tensors.handedOver(sums(2, 200, 10, 5))
      expect(() => tensors.handedOver(fewer)).toThrow(ProtocolError)
      expect(memory.info()).toMatchObject({ handedTensors: 2, handedBytes: 200, handOverCopiedBytes: 10 })
    },
  )
})
