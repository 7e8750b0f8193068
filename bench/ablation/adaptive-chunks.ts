/** Tensors of 12 MiB after a time of small ones, where there is no shared memory: chunks that follow the sizes seen, or stay at 64 KiB. */

import { p50, warmLoop } from '../harness/loops.ts'
import { WorkerPeer } from '../transfer/worker-peer.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const kib = 1024
const largeBytes = 12 * 1024 * kib
const roundMs = 1500
/** Chunks follow after 100 messages. */
const tensorsUntilFollowed = 120

export const adaptiveChunks: Mechanism = {
  name: 'adaptive-chunks',
  naive: 'chunks of 64 KiB, whatever is sent (HEARTH_WITHOUT=adaptive-chunks).',
  pairs: 4,
  comparisons: [
    { key: 'rate', what: 'tensors of 12 MiB in chunks', unit: 'MB/s', mustBring: { more: 2 } },
    { key: 'p50', what: 'tensor of 12 MiB in chunks, p50', unit: 'ms', mustBring: null },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    const adaptive = opened.use(await openPeer(''))
    const fixed = opened.use(await openPeer('adaptive-chunks'))
    const measure = async (peer: WorkerPeer): Promise<Values> => {
      const loop = await warmLoop(settings, 1, roundMs, () => peer.fetch(largeBytes))
      return { rate: (loop.perSecond * largeBytes) / 1e6, p50: p50(loop) }
    }
    return sidesOf(opened.move(), { with: () => measure(adaptive), without: () => measure(fixed) })
  },
}

/** It has seen small tensors, then, where chunks follow, enough large ones. */
async function openPeer(without: string): Promise<WorkerPeer> {
  const peer = await WorkerPeer.start({ hasSlabs: false, without })
  for (let tensor = 0; tensor < tensorsUntilFollowed; tensor += 1) await peer.fetch(64 * kib)
  for (let tensor = 0; tensor < tensorsUntilFollowed; tensor += 1) await peer.fetch(largeBytes)
  return peer
}
