/** A worker that is there, against one that is started for a single operation and ends after it. */

import { p50, warmLoop } from '../harness/loops.ts'
import { fetchFromWorkerOfItsOwn, WorkerPeer } from '../transfer/worker-peer.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const bytes = 60
const withMs = 800
/** Several starts of a Python process fit into it. */
const withoutMs = 4000

export const persistentWorkers: Mechanism = {
  name: 'persistent-workers',
  naive:
    'a worker is started for each operation (spawn, hello, load, one operation, exit); with the no-op program, so without the seconds that an engine and a model would add.',
  pairs: 3,
  comparisons: [
    {
      key: 'latency',
      what: `${bytes} bytes, all that must happen before them included, p50`,
      unit: 'ms',
      mustBring: { less: 0.9 },
    },
    { key: 'rate', what: 'operations, one after the other', unit: 'operations/s', mustBring: { more: 2 } },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    const worker = opened.use(await WorkerPeer.start())
    const measure = async (roundMs: number, once: () => Promise<void>): Promise<Values> => {
      const loop = await warmLoop(settings, 1, roundMs, once)
      return { latency: p50(loop), rate: loop.perSecond }
    }
    return sidesOf(opened.move(), {
      with: () => measure(withMs, () => worker.fetch(bytes)),
      without: () => measure(withoutMs, () => fetchFromWorkerOfItsOwn(bytes)),
    })
  },
}
