/** A process that has workers and nothing else, to be killed by a test: prints their process ids once they serve. */
import { noop, RealPool } from './real-pool.ts'

const real = new RealPool()
const idle = await real.startNoop(1)
const stuck = await real.startNoop(2)
real.pool.admit(stuck, [noop(1, { hangAtStep: 1 })])
await real.reported(1, 'started')
console.log(
  JSON.stringify(real.pool.describe().map(({ workerId, pid }) => ({ workerId, pid, isIdle: workerId === idle }))),
)
