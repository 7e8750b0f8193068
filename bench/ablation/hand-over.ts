/** A tensor that one task of a job makes and the next one takes: within the worker, as a reference, or through the pipe to the server and back. */
import { fileURLToPath } from 'node:url'
import { isLargeTensor, type LargeTensor, type Tensor } from '../../src/runtime/workers/tensors.ts'
import { PeakMemory } from '../files/peak-memory.ts'
import { p50, warmLoop } from '../harness/loops.ts'
import { until } from '../harness/until.ts'
import type { Output } from '../transfer/task-outputs.ts'
import { WorkerPeer } from '../transfer/worker-peer.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

/** A picture of 512 x 512 pixels before it is written: three channels of float32. */
const tensorBytes = 512 * 512 * 3 * 4
const roundMs = 1500
/** For memory and copies, one after the other. */
const counted = 10
const countsMsMax = 10_000
const programs = fileURLToPath(new URL('../programs', import.meta.url))

export const handOver: Mechanism = {
  name: 'hand-over',
  naive: 'what a task has made is copied through the pipe to the server, which sends it back with the next task.',
  pairs: 4,
  comparisons: [
    {
      key: 'p50',
      what: 'picture of 3 MiB made by one task and read by the next, both tasks, p50',
      unit: 'ms',
      mustBring: { less: 0.85 },
    },
    {
      key: 'copied',
      what: 'copied between the two, for each picture',
      unit: 'MB',
      mustBring: { less: 1 },
      note: 'with it, as the worker counts (server.tensorPool in the API); without it, what came out of the pipe and what went into it, each counted once, although a pipe copies twice.',
    },
    {
      key: 'peak',
      what: `growth of server and worker at most, over ${counted} pictures`,
      unit: 'MB',
      mustBring: { less: 0.4 },
    },
  ],
  open: async (settings) => {
    await using opened = new AsyncDisposableStack()
    const peer = opened.use(await WorkerPeer.start({ hasSlabs: false, programs, statsIntervalMs: 100 }))
    const measure = async (once: () => Promise<number>, copied: Copied): Promise<Values> => {
      const latency = p50(await warmLoop(settings, 1, roundMs, async () => void (await once())))
      const [peakBytes, copiedBytes] = await copiesAndPeak(peer, once, copied)
      return { p50: latency, copied: copiedBytes / 1e6, peak: peakBytes / 1e6 }
    }
    return sidesOf(opened.move(), {
      with: () => measure(() => byReference(peer), 'in-worker'),
      without: () => measure(() => throughThePipe(peer), 'in-pipe'),
    })
  },
}

/** Who knows what was copied: the worker has a counter, or each hand-over says what went through the pipe. */
type Copied = 'in-worker' | 'in-pipe'

async function copiesAndPeak(peer: WorkerPeer, once: () => Promise<number>, copied: Copied): Promise<[number, number]> {
  const { handedTensors, handOverCopiedBytes } = peer.memory.info()
  let piped = 0
  const work = async () => {
    for (let time = 0; time < counted; time += 1) piped += await once()
  }
  const worker = new PeakMemory(peer.pid)
  const server = new PeakMemory(process.pid)
  let workerBytes = 0
  const serverBytes = await server.during(async () => {
    workerBytes = await worker.during(work)
  })
  if (copied === 'in-pipe') return [workerBytes + serverBytes, piped / counted]
  const after = await until('the counts of the worker', countsMsMax, async () => {
    const info = peer.memory.info()
    return info.handedTensors >= handedTensors + counted ? info : null
  })
  return [workerBytes + serverBytes, (after.handOverCopiedBytes - handOverCopiedBytes) / counted]
}

/** Returns the bytes that went through the pipe. */
async function byReference(peer: WorkerPeer): Promise<number> {
  const given = await peer.run({ program: 'give', request: { bytes: tensorBytes }, isHeld: true })
  const taken = await peer.run({ program: 'take', request: {}, inputs: { give: given.taskId } })
  peer.release(given.taskId)
  return requireSum(taken.output, 0)
}

async function throughThePipe(peer: WorkerPeer): Promise<number> {
  const given = await peer.run({ program: 'give', request: { bytes: tensorBytes } })
  const data = await readWhole(given.output.tensor as Tensor | LargeTensor)
  const taken = await peer.run({ program: 'take', request: { data } })
  return requireSum(taken.output, 2 * data.length)
}

/** All bytes are ones. */
function requireSum({ sum }: Output, piped: number): number {
  if (sum !== tensorBytes) throw new Error(`The sum of ${tensorBytes} ones came as ${String(sum)}.`)
  return piped
}

async function readWhole(tensor: Tensor | LargeTensor): Promise<Uint8Array> {
  if (!isLargeTensor(tensor)) return tensor.data
  const pieces: Uint8Array[] = []
  // A piece is the reader's only until it asks for the next.
  for await (const piece of tensor.region.pieces()) pieces.push(Uint8Array.from(piece))
  tensor.region.release()
  return Buffer.concat(pieces)
}
