/** Many small requests of many callers: as they come, up to 8 frames on their way, or one request at a time for a worker. */

import { p50, warmLoop } from '../harness/loops.ts'
import { quantile } from '../harness/statistics.ts'
import type { Peer } from '../transfer/peer.ts'
import { WorkerPeer } from '../transfer/worker-peer.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const clients = 64
const bytes = 60
const roundMs = 1500

export const pipelining: Mechanism = {
  name: 'pipelining',
  naive:
    'a worker is asked for the next thing when it has answered the last (HEARTH_WITHOUT=pipelining, and callers in a row).',
  pairs: 4,
  comparisons: [
    {
      key: 'rate',
      what: `requests for ${bytes} bytes, ${clients} callers`,
      unit: 'requests/s',
      mustBring: { more: 4 },
      note: 'what brings it is that nobody waits in a row; with all callers at once, one frame on its way does as well as eight (transfer), because the worker reports what is done together.',
    },
    { key: 'p50', what: `the same under this load, p50`, unit: 'ms', mustBring: { less: 0.5 } },
    { key: 'p99', what: `the same under this load, p99`, unit: 'ms', mustBring: null },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    const deep = opened.use(await WorkerPeer.start())
    const shallow = opened.use(await WorkerPeer.start({ pipelineDepth: 1 }))
    const measure = async (fetch: Peer['fetch']): Promise<Values> => {
      const loop = await warmLoop(settings, clients, roundMs, () => fetch(bytes))
      return { rate: loop.perSecond, p50: p50(loop), p99: quantile(loop.latenciesMs, 0.99) }
    }
    return sidesOf(opened.move(), {
      with: () => measure((size) => deep.fetch(size)),
      without: () => measure(oneAtATime(shallow)),
    })
  },
}

/** Whoever comes waits until all who came before have been served. */
function oneAtATime(peer: Peer): Peer['fetch'] {
  let last = Promise.resolve()
  return (sizeBytes) => {
    last = last.then(() => peer.fetch(sizeBytes))
    return last
  }
}
