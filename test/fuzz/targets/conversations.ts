/** What a worker says over time, and what the server says meanwhile: frames in any order, slabs and transfers that are there or not. */
import { encode } from '../../../src/runtime/workers/message-pack.ts'
import { Talk, type TalkStep } from '../talk.ts'
import type { Target } from '../target.ts'

const version = 3
const [small, middle] = [64 * 1024, 256 * 1024]

const done = (task: number, ...tensors: readonly object[]) => ({ kind: 'done', task, output: { tensors }, stepsRun: 1 })
const steps = (...entries: readonly object[]): TalkStep => ({ say: 'steps', meta: { entries, progress: 1 } })
const inSlab = (slabId: number, generation = 1, offset = 0, length = 64) => ({
  dtype: 'uint8',
  shape: [length],
  slab: { slabId, generation, offset, length },
})
const inTransfer = (id: number, length: number) => ({ dtype: 'uint8', shape: [length], transfer: { id, length } })
const chunk = (transfer: number, offset: number, payload: number, totalBytes: number): TalkStep => ({
  say: 'chunk',
  meta: { transfer, offset, totalBytes },
  payload,
})
const ask = (sizeBytes: number, count: number): TalkStep => ({ say: 'slabRequest', meta: { sizeBytes, count } })
const act = (what: string, of = version): TalkStep => ({ do: what, of })
const loaded: TalkStep = { say: 'loaded', meta: { model: version, loadMs: 1, weightsBytes: 1, privateBytes: 1 } }
const component = (name: string): TalkStep => ({
  say: 'componentLoaded',
  meta: { model: version, component: name, loadMs: 1, weightsBytes: 1 },
})
const revoked: TalkStep = { say: 'revoked', meta: { stepMs: 1 } }
const stats = (handed: number) => ({
  privateBytes: 1,
  residentBytes: 2,
  progress: 3,
  cpuMs: 4,
  handOver: { tensors: handed, bytes: handed, copiedBytes: 0, gatheredBytes: 0 },
})
const raw = (say: string, meta: object): TalkStep => ({ say, hex: encode(meta).toString('hex') })

/** JSON knows no bytes, which the binaries of checkpoints and previews are. */
const checkpointed = raw('checkpointed', { task: 5, step: 5, saved: Buffer.alloc(100) })
const preview = raw('steps', {
  entries: [{ kind: 'preview', task: 5, step: 5, mimeType: 'image/png', picture: Buffer.alloc(100) }],
  progress: 1,
})

const talks: readonly (readonly TalkStep[])[] = [
  // A model comes, works, and goes.
  [
    act('load'),
    act('turn'),
    loaded,
    act('policy'),
    act('admit', 5),
    act('turn'),
    { say: 'ack', meta: {} },
    steps({ kind: 'started', task: 5 }, { kind: 'step', task: 5, done: 1, total: 2, unit: 'steps' }),
    { say: 'partial', meta: { task: 5, values: [1, 'a', { b: null }], left: 15 } },
    act('credit', 5),
    steps({ kind: 'text', task: 5, item: 0, text: 'ü' }, done(5)),
    act('unload'),
    act('turn'),
    { say: 'unloaded', meta: { model: version, privateBytes: 1 } },
  ],
  // Slabs are asked for, filled, read, filled again and dropped.
  [
    act('admit', 1),
    act('admit', 2),
    ask(small, 2),
    act('wait'),
    steps(done(1, inSlab(1), inSlab(1, 1, 64), inSlab(2))),
    act('read'),
    act('wait'),
    act('turn'),
    steps(done(2, inSlab(1, 2))),
    act('release'),
    act('turn'),
    { say: 'slabsDropped', meta: { slabs: [{ slabId: 2, generation: 2 }] } },
    act('recall'),
    ask(small, 1),
  ],
  // More is wanted than there is, of several sizes, and called back.
  [
    ask(middle, 5),
    act('wait'),
    ask(small, 100),
    act('wait'),
    ask(2 ** 40, 1),
    act('wait'),
    ask(0, 0),
    act('wait'),
    act('admit', 1),
    steps(done(1, inSlab(1), inSlab(3, 1, 128, 1000))),
    act('recall'),
    { say: 'slabsDropped', meta: { slabs: [{ slabId: 2, generation: 1 }] } },
    act('close'),
    act('read'),
  ],
  // Transfers, in memory and in files, some of which nobody refers to.
  [
    act('admit', 1),
    act('admit', 2),
    chunk(1, 0, 100, 150),
    { say: 'pong', meta: { progress: 1, busy: true } },
    chunk(1, 100, 50, 150),
    chunk(2, 0, 10, 10),
    chunk(4, 0, 1000, 1000),
    steps(done(1, inTransfer(1, 150), inTransfer(4, 1000)), { kind: 'cancelled', task: 2, output: null, stepsRun: 0 }),
    act('read'),
    chunk(5, 0, 60_000, 2 ** 21),
    chunk(5, 60_000, 60_000, 2 ** 21),
    act('admit', 3),
    steps(done(3)),
    act('turn'),
    act('close'),
  ],
  [
    act('admit', 1),
    chunk(1, 0, 2 ** 20, 2 ** 20 + 10),
    chunk(1, 2 ** 20, 10, 2 ** 20 + 10),
    steps(done(1, inTransfer(1, 2 ** 20 + 10))),
    act('read'),
  ],
  // Everything else, while tasks are given back, cancelled and fail, and the stream is full for a while.
  [
    act('admit', 1),
    act('admit', 2),
    act('full'),
    act('withdraw', 1),
    act('cancel', 2),
    act('ping'),
    act('stats'),
    act('turn'),
    { say: 'log', meta: { level: 'info', message: 'm', logger: 'l' } },
    act('writable'),
    act('turn'),
    { say: 'statsReport', meta: { privateBytes: 1, residentBytes: 2, progress: 3, cpuMs: 4 } },
    steps(
      { kind: 'withdrawn', task: 1 },
      { kind: 'failed', task: 2, code: 'engine_error', message: 'm', retryable: true },
    ),
    act('load'),
    act('turn'),
    { say: 'error', meta: { code: 'out_of_memory', message: 'No room.', retryable: true } },
    act('stop'),
    ask(small, 1),
    revoked,
  ],
  // A model comes in parts; tasks hold, take, pause, are written down and go on from there.
  [
    act('load'),
    act('hold', 4),
    act('restore', 5),
    act('turn'),
    component('encoder'),
    component('decoder'),
    loaded,
    steps({ kind: 'started', task: 4 }, { kind: 'done', task: 4, output: {}, stepsRun: 1, heldBytes: 4096 }),
    act('hold', 6),
    act('drop', 4),
    act('pause', 5),
    act('pause', 5),
    act('turn'),
    checkpointed,
    steps({ kind: 'paused', task: 5, stateBytes: 100 }),
    act('resume', 5),
    act('checkpoint', 5),
    act('turn'),
    steps({ kind: 'paused', task: 5, stateBytes: 0 }),
    preview,
    steps({ kind: 'step', task: 5, done: 6, total: 20, unit: 'steps' }, done(5)),
  ],
  // The lease comes and goes.
  [
    act('admit', 1),
    act('revoke'),
    act('turn'),
    revoked,
    act('lease'),
    act('revoke'),
    act('lease'),
    act('turn'),
    revoked,
    { say: 'statsReport', meta: stats(5) },
    { say: 'statsReport', meta: stats(7) },
    { say: 'statsReport', meta: stats(6) },
  ],
  // As bytes, which are changed one by one.
  [
    act('admit', 1),
    act('admit', 2),
    ask(small, 1),
    act('wait'),
    { ...raw('steps', { entries: [done(1, inSlab(1))], progress: 1 }), at: 30, to: 0xc1 },
    raw('steps', { entries: [done(2, { a: [1, 2.5, 'x', null, { b: [true] }] })], progress: 1 }),
    raw('slabsDropped', { slabs: [] }),
  ],
]

export const conversationTargets: readonly Target[] = [
  {
    name: 'conversation',
    form: 'json',
    seeds: talks.map((talk) => Buffer.from(JSON.stringify(talk))),
    words: [
      'steps',
      'chunk',
      'slabRequest',
      'slabsDropped',
      'hello',
      'checkpointed',
      'componentLoaded',
      'revoked',
      'pause',
      'resume',
      'restore',
      'hold',
      'drop',
      'lease',
      'revoke',
      'ack',
      'loaded',
      'load',
      'admit',
      'cancel',
      'close',
      'stop',
      'release',
      'wait',
      'recall',
      'dtype',
      'region',
      ...[ask(small, 3), act('wait'), act('close'), act('admit', 9), chunk(9, 0, 5, 5)].map(asText),
      ...[inSlab(1), inSlab(2, 2), inTransfer(1, 150)].map(asText),
    ],
    async read(input) {
      const script = scriptIn(input)
      if (script) await Talk.hold(script)
    },
  },
]

function asText(value: unknown): string {
  return JSON.stringify(value)
}

/** Null = it is none. */
function scriptIn(input: Buffer): readonly TalkStep[] | null {
  try {
    const script: unknown = JSON.parse(input.toString())
    return Array.isArray(script) ? script.filter((step) => typeof step === 'object' && step !== null) : null
  } catch {
    return null
  }
}
