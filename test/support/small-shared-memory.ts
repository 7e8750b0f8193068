/**
 * A worker whose shared memory is the folder of the first argument: prints what became of outputs in it, then again when something else has taken the
 * rest of it. Run by a test that has mounted a small file system there.
 */
import { statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TensorMemory } from '../../src/runtime/memory/tensor-memory.ts'
import { isLargeTensor } from '../../src/runtime/workers/tensors.ts'
import { noop, RealPool } from './real-pool.ts'

const mib = 1024 * 1024
const folder = process.argv[2] ?? ''
const memory = await TensorMemory.open({
  sharedMemory: folder,
  poolBytesMax: 256 * mib,
  transferFolder: process.argv[3] ?? '',
})
const real = new RealPool({}, { memory })
const worker = await real.startNoop(1)
let wrongBytes = 0
let tasks = 0

async function run(count: number, sizeBytes: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    tasks += 1
    real.pool.admit(worker, [noop(tasks, { tensorBytes: [sizeBytes] })])
    const { output } = await real.reported(tasks, 'done')
    const { artifacts } = output as unknown as { artifacts: readonly { readonly data: object }[] }
    for (const { data } of artifacts) if (isLargeTensor(data)) wrongBytes += await countWrong(data.region)
  }
}

async function countWrong(region: { pieces(): AsyncIterable<Uint8Array>; release(): void }): Promise<number> {
  let wrong = 0
  let index = 0
  for await (const piece of region.pieces())
    for (const byte of piece) {
      if (byte !== index % 256) wrong += 1
      index += 1
    }
  region.release()
  return wrong
}

await run(5, mib)
const first = memory.info()
const { bavail, bsize } = statfsSync(folder)
writeFileSync(join(folder, 'somebody-else'), Buffer.alloc(Math.max(0, bavail * bsize - mib)))
// A size that has no slabs yet, and for which there is no room any more.
await run(5, 3 * mib)
console.log(JSON.stringify({ first, last: memory.info(), wrongBytes }))
await real.pool.close()
await memory.close()
