/** Large tensors from a worker: in shared memory that the server granted, or copied through the pipe. Read to the last byte either way. */

import { p50, warmLoop } from '../harness/loops.ts'
import { WorkerPeer } from '../transfer/worker-peer.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const mib = 1024 * 1024
const roundMs = 1200

export const slabs: Mechanism = {
  name: 'slabs',
  naive: 'tensors are copied through the pipe, in chunks that follow their sizes (HEARTH_WITHOUT=slabs).',
  pairs: 4,
  comparisons: [
    { key: 'p50.1MiB', what: 'tensor of 1 MiB, p50', unit: 'ms', mustBring: { less: 0.85 } },
    { key: 'p50.12MiB', what: 'tensor of 12 MiB, p50', unit: 'ms', mustBring: { less: 0.85 } },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    const shared = opened.use(await WorkerPeer.start())
    const pipe = opened.use(await WorkerPeer.start({ hasSlabs: false }))
    const measure = async (peer: WorkerPeer): Promise<Values> => ({
      'p50.1MiB': p50(await warmLoop(settings, 1, roundMs, () => peer.fetch(mib))),
      'p50.12MiB': p50(await warmLoop(settings, 1, roundMs, () => peer.fetch(12 * mib))),
    })
    return sidesOf(opened.move(), { with: () => measure(shared), without: () => measure(pipe) })
  },
}
