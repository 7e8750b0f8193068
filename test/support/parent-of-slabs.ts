/** A process with a pool in the folder of the first argument, to be killed by a test: prints the pids of its workers once one holds slabs. */
import { TensorMemory } from '../../src/runtime/memory/tensor-memory.ts'
import { noop, RealPool } from './real-pool.ts'
import { until } from './until.ts'

const mib = 1024 * 1024
const memory = await TensorMemory.open({
  sharedMemory: process.argv[2] ?? '',
  poolBytesMax: 8 * mib,
  transferFolder: process.argv[3] ?? '',
})
const real = new RealPool({}, { memory })
const worker = await real.startNoop(1)
real.pool.admit(worker, [noop(1, { tensorBytes: [mib, 2 * mib] })])
await until('the worker has slabs', () => memory.info().grantedBytes > 0)
console.log(JSON.stringify(real.pool.describe().map(({ pid }) => pid)))
