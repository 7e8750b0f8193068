/**
 * What it costs to bring a tensor from a Python process into this one: through the worker's protocol and shared memory, against JSON lines with
 * base64. And what chunks of the right size, a pipeline, and workers that persist bring.
 */
import { type Benchmark, type Figure, figure, type RunSettings } from './harness/benchmark.ts'
import { warmLoop } from './harness/loops.ts'
import { closedLoop, type LoopResult, measureSeries, pick, plan } from './harness/rounds.ts'
import { quantile } from './harness/statistics.ts'
import { fetchInProcessOfItsOwn, NaivePeer } from './transfer/naive-peer.ts'
import type { Peer } from './transfer/peer.ts'
import { fetchFromWorkerOfItsOwn, WorkerPeer } from './transfer/worker-peer.ts'

const kib = 1024
const mib = 1024 * 1024
const sizes = [
  ['60B', '60 bytes', 60],
  ['64KiB', '64 KiB', 64 * kib],
  ['1MiB', '1 MiB', mib],
  ['12MiB', '12 MiB', 12 * mib],
] as const
const depths = [1, 8] as const
const roundMs = 1000
/** The chunks have to see this many tensors before they follow. */
const stepTensors = 120

export const transfer: Benchmark = {
  name: 'transfer',
  about:
    'A tensor that a Python process has, asked for and received whole: in shared memory, against base64 in JSON lines.',
  placement: 'Python on core 0, Node on core 1; nothing of the server above the worker pool',
  generatorCore: 1,
  peers: [],
  run: measureTransfer,
}

async function measureTransfer(settings: RunSettings): Promise<readonly Figure[]> {
  return [
    ...(await measureRoundTrips(settings)),
    ...(await measurePipeline(settings)),
    ...(await measureSizeStep(settings)),
    ...(await measureProcesses(settings)),
  ]
}

type Loops = ReadonlyMap<string, LoopResult>

async function measureRoundTrips(settings: RunSettings): Promise<Figure[]> {
  await using worker = await WorkerPeer.start()
  await using naive = new NaivePeer()
  const peers = { worker, naive } as const
  const rounds = await measureSeries(plan(settings, { series: 2, roundsPerSeries: 2 }), async () => {
    const loops = new Map<string, LoopResult>()
    for (const [name, , bytes] of sizes)
      for (const depth of depths)
        for (const [way, peer] of Object.entries(peers)) {
          const loop = await measureLoop(settings, peer, depth, bytes)
          loops.set(keyOf(way, name, depth), loop)
          settings.say(`${way}, ${name}, ${depth} in flight: ${describe(loop, bytes)}`)
        }
    return loops
  })
  const { hits, misses } = worker.memory.info()
  settings.say(`in shared memory: ${hits}, in chunks: ${misses}`)
  return sizes.flatMap(([name, words, bytes]) =>
    depths.flatMap((depth) => [
      ...loopFigures(rounds, 'worker', `${words}, ${depth} in flight`, name, depth, bytes),
      ...loopFigures(rounds, 'naive', `base64 in JSON: ${words}, ${depth} in flight`, name, depth, bytes),
    ]),
  )
}

function loopFigures(
  rounds: readonly (readonly Loops[])[],
  way: string,
  what: string,
  name: string,
  depth: number,
  bytes: number,
): Figure[] {
  const id = `transfer.${way}.${name}.${depth}`
  const of = (part: (loop: LoopResult) => number) =>
    pick(rounds, (loops) => part(loopOf(loops, keyOf(way, name, depth))))
  const latency = (share: number) => of(({ latenciesMs }) => quantile(latenciesMs, share))
  return [
    figure({ id: `${id}.p50`, what: `${what}, p50`, unit: 'ms', better: 'lower' }, latency(0.5)),
    figure({ id: `${id}.p99`, what: `${what}, p99`, unit: 'ms', better: 'lower' }, latency(0.99)),
    figure(
      { id: `${id}.rate`, what: `${what}, throughput`, unit: bytes < kib ? 'tensors/s' : 'MB/s', better: 'higher' },
      of(({ perSecond }) => (bytes < kib ? perSecond : megabytesPerSecond(perSecond, bytes))),
    ),
  ]
}

/** Requests that are pipelined, against one that waits for the answer to the last. */
async function measurePipeline(settings: RunSettings): Promise<Figure[]> {
  await using deep = await WorkerPeer.start()
  await using shallow = await WorkerPeer.start({ pipelineDepth: 1 })
  const rounds = await measureSeries(plan(settings, { series: 2, roundsPerSeries: 3 }), async () => ({
    deep: await measureLoop(settings, deep, 8, 60),
    shallow: await measureLoop(settings, shallow, 1, 60),
    shallowQueued: await measureLoop(settings, shallow, 8, 60),
  }))
  const rate = { unit: 'tensors/s', better: 'higher' } as const
  return [
    figure(
      { id: 'transfer.pipeline.8', what: '60 bytes, 8 asked for at once, up to 8 frames on their way', ...rate },
      pick(rounds, (round) => round.deep.perSecond),
    ),
    figure(
      { id: 'transfer.pipeline.1', what: '60 bytes, one asked for when the last has come', ...rate },
      pick(rounds, (round) => round.shallow.perSecond),
    ),
    figure(
      { id: 'transfer.pipeline.1.queued', what: '60 bytes, 8 asked for at once, one frame on its way', ...rate },
      pick(rounds, (round) => round.shallowQueued.perSecond),
    ),
  ]
}

/** Without shared memory: tensors of 64 KiB, then of 12 MiB. Chunks that follow, against chunks that stay at 64 KiB. */
async function measureSizeStep(settings: RunSettings): Promise<Figure[]> {
  const measure = async (without: string) => {
    await using peer = await WorkerPeer.start({ hasSlabs: false, without })
    const small = await measureLoop(settings, peer, 1, 64 * kib)
    for (let index = 0; index < stepTensors; index += 1) await peer.fetch(12 * mib)
    const large = await measureLoop(settings, peer, 1, 12 * mib)
    settings.say(
      `chunks ${without === '' ? 'follow' : 'stay'}: ${describe(small, 64 * kib)}; then ${describe(large, 12 * mib)}`,
    )
    return large
  }
  const rounds = await measureSeries(plan(settings, { series: 1, roundsPerSeries: 3 }), async () => ({
    adaptive: await measure(''),
    fixed: await measure('adaptive-chunks'),
  }))
  const rate = { unit: 'MB/s', better: 'higher' } as const
  return [
    figure(
      {
        id: 'transfer.chunks.adaptive',
        what: '12 MiB after 64 KiB without shared memory, chunks that follow',
        ...rate,
      },
      pick(rounds, ({ adaptive }) => megabytesPerSecond(adaptive.perSecond, 12 * mib)),
    ),
    figure(
      { id: 'transfer.chunks.fixed', what: '12 MiB after 64 KiB without shared memory, chunks of 64 KiB', ...rate },
      pick(rounds, ({ fixed }) => megabytesPerSecond(fixed.perSecond, 12 * mib)),
    ),
  ]
}

/** A process for each operation, against one that is there. */
async function measureProcesses(settings: RunSettings): Promise<Figure[]> {
  await using worker = await WorkerPeer.start()
  const rounds = await measureSeries(plan(settings, { series: 1, roundsPerSeries: 3 }), async () => ({
    persistent: await measureLoop(settings, worker, 1, 60),
    ownWorker: await settings.quiet.round(() => closedLoop(1, 2 * roundMs, () => fetchFromWorkerOfItsOwn(60))),
    ownProcess: await settings.quiet.round(() => closedLoop(1, 2 * roundMs, () => fetchInProcessOfItsOwn(60))),
  }))
  const p50 = { unit: 'ms', better: 'lower' } as const
  return [
    figure(
      { id: 'transfer.process.persistent', what: '60 bytes from a worker that is there, p50', ...p50 },
      pick(rounds, ({ persistent }) => quantile(persistent.latenciesMs, 0.5)),
    ),
    figure(
      {
        id: 'transfer.process.worker',
        what: '60 bytes from a worker started for it (no engine, no model), p50',
        ...p50,
      },
      pick(rounds, ({ ownWorker }) => quantile(ownWorker.latenciesMs, 0.5)),
    ),
    figure(
      { id: 'transfer.process.bare', what: '60 bytes from a bare Python started for it, JSON, p50', ...p50 },
      pick(rounds, ({ ownProcess }) => quantile(ownProcess.latenciesMs, 0.5)),
    ),
  ]
}

async function measureLoop(settings: RunSettings, peer: Peer, depth: number, bytes: number): Promise<LoopResult> {
  return settings.quiet.round(() => warmLoop(settings, depth, roundMs, () => peer.fetch(bytes)))
}

function keyOf(way: string, size: string, depth: number): string {
  return `${way} ${size} ${depth}`
}

function loopOf(loops: Loops, key: string): LoopResult {
  const loop = loops.get(key)
  if (loop === undefined) throw new Error(`${key} was not measured.`)
  return loop
}

function describe({ perSecond, latenciesMs }: LoopResult, bytes: number): string {
  const p50 = quantile(latenciesMs, 0.5).toFixed(3)
  return `p50 ${p50} ms, p99 ${quantile(latenciesMs, 0.99).toFixed(3)} ms, ${megabytesPerSecond(perSecond, bytes).toFixed(1)} MB/s`
}

function megabytesPerSecond(perSecond: number, bytes: number): number {
  return (perSecond * bytes) / 1e6
}
