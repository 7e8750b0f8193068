/** Shared memory for a tensor: from the pool of slabs that were used before, or made for it and removed after it. */
import { join } from 'node:path'
import { Slab } from '../../src/runtime/memory/slab.ts'
import { makeSlabFolder } from '../../src/runtime/memory/slab-folder.ts'
import { SlabPool } from '../../src/runtime/memory/slab-pool.ts'
import { p50, warmLoop } from '../harness/loops.ts'
import type { LoopResult } from '../harness/rounds.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const mib = 1024 * 1024
const poolBytesMax = 64 * mib
const roundMs = 500

export const pooledSlabs: Mechanism = {
  name: 'pooled-slabs',
  naive: 'each tensor gets shared memory of its own, which is made for it and removed when it has been read.',
  pairs: 4,
  comparisons: [
    { key: 'p50.64KiB', what: 'shared memory of 64 KiB had and given back, p50', unit: 'ms', mustBring: { less: 0.7 } },
    { key: 'p50.4MiB', what: 'shared memory of 4 MiB had and given back, p50', unit: 'ms', mustBring: { less: 0.7 } },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    const { path: folder } = await makeSlabFolder('/dev/shm')
    // Closing the pool removes its folder with all that is in it.
    const pool = opened.adopt(new SlabPool(folder, poolBytesMax), (made) => made.close())
    let lastId = 0
    const pooled = async (sizeBytes: number) => {
      const slab = await pool.take(sizeBytes)
      if (slab === null) throw new Error('The pool had no slab.')
      pool.giveBack(slab)
    }
    const fresh = async (sizeBytes: number) => {
      lastId += 1
      const slab = await Slab.make(lastId, join(folder, `own-${lastId}`), sizeBytes)
      await slab.remove()
    }
    const measure = async (once: (sizeBytes: number) => Promise<void>): Promise<Values> => {
      const loop = (sizeBytes: number): Promise<LoopResult> => warmLoop(settings, 1, roundMs, () => once(sizeBytes))
      return { 'p50.64KiB': p50(await loop(mib / 16)), 'p50.4MiB': p50(await loop(4 * mib)) }
    }
    return sidesOf(opened.move(), { with: () => measure(pooled), without: () => measure(fresh) })
  },
}
