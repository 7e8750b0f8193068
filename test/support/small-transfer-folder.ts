/**
 * A worker without slabs whose transfers go to the folder of the first argument, a file system that is too small for its output: prints what happened
 * while it was full, and what came when it had been made larger. Run by a test that has mounted it.
 */
import { execFileSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { TensorMemory } from '../../src/runtime/memory/tensor-memory.ts'
import type { LargeTensor } from '../../src/runtime/workers/tensors.ts'
import { defaultWorkerLimits } from '../../src/runtime/workers/worker-limits.ts'
import { noop, RealPool } from './real-pool.ts'
import { until } from './until.ts'

const sizeBytes = 64 * 1024 * 1024
const folder = process.argv[2] ?? ''
const times = { silentIdleMs: 300, stuckIdleMs: 300, stepMsMin: 600, stepMsMax: 600, loadMsMax: 600 }
const liveness = { ...defaultWorkerLimits.liveness, ...times }
const memory = TensorMemory.withoutPool(folder)
const real = new RealPool({ pingIntervalMs: 100, liveness }, { memory })
const worker = await real.startNoop(1)
real.pool.admit(worker, [noop(1, { tensorBytes: [sizeBytes] })])

await until('the disk is full', () => statfsSync(folder).bavail === 0)
// It cannot answer, because nobody reads what it says: longer than any worker may be silent.
await until('it was silent for long', () => (real.pool.describe()[0]?.silentMs ?? 0) > 3 * liveness.stepMsMax)
const whileFull = { state: real.pool.describe()[0]?.state, entries: real.entriesOf(1).map(({ kind }) => kind) }

execFileSync('mount', ['-o', 'remount,size=100m', folder])
const { output } = await real.reported(1, 'done')
const { artifacts } = output as unknown as { artifacts: readonly { readonly data: LargeTensor }[] }
let index = 0
let wrongBytes = 0
for (const { data } of artifacts) {
  for await (const piece of data.region.pieces())
    for (const byte of piece) {
      if (byte !== index % 256) wrongBytes += 1
      index += 1
    }
  data.region.release()
}
console.log(JSON.stringify({ whileFull, bytes: index, wrongBytes, ends: real.listener.of('workerExited').length }))
await real.pool.close()
await memory.close()
