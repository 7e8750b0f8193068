import { beforeEach, describe, expect, test } from 'vitest'
import type { TensorMemory } from '../../../../src/runtime/memory/tensor-memory.ts'
import { Conversation } from '../../../../src/runtime/workers/conversation.ts'
import type { AdmittedTask } from '../../../../src/runtime/workers/requests.ts'
import { releaseRegions } from '../../../../src/runtime/workers/tensors.ts'
import { defaultWorkerLimits } from '../../../../src/runtime/workers/worker-limits.ts'
import type { TaskId, VersionId, WorkerId } from '../../../../src/scheduler/ids.ts'
import { hello, readRequests, report } from '../../../support/frames.ts'
import { withoutSlabs } from '../../../support/real-pool.ts'
import { WorkerLog } from '../../../support/worker-log.ts'

const workerId = 1 as WorkerId
const version = 3 as VersionId
let written: Buffer[]
let seen: string[]
let listener: WorkerLog
let memory: TensorMemory
let conversation: Conversation

beforeEach(() => {
  // Its own for each conversation: what one test leaves unsent must not show up in the next.
  const frames: Buffer[] = []
  written = frames
  seen = []
  listener = new WorkerLog()
  memory = withoutSlabs()
  conversation = new Conversation({
    workerId,
    engine: 'none',
    limits: defaultWorkerLimits,
    now: () => performance.now(),
    write: (more) => {
      frames.push(...more)
      return true
    },
    onHello: () => seen.push('hello'),
    onPong: (progress, isStepping, declaredStepMs) =>
      seen.push(`pong ${progress} ${isStepping}${declaredStepMs === null ? '' : ` ${declaredStepMs}`}`),
    onProgress: (progress) => seen.push(`progress ${progress}`),
    onMeasured: (privateBytes) => seen.push(`measured ${privateBytes}`),
    onStats: (privateBytes) => seen.push(`stats ${privateBytes}`),
    onLog: (level, message) => seen.push(`${level}: ${message}`),
    onHold: (isHeld) => seen.push(`held ${isHeld}`),
    memory,
    listener,
  })
})

describe('the greeting', () => {
  test('comes first', () => {
    expect(() => conversation.read(report('ack'))).toThrow("A worker's first frame must be HELLO, not ack.")
  })

  test.each([
    ['another protocol', { protocol: 2 }, '`protocol` of HELLO must be 1, not 2.'],
    ['a dead epoch', { epoch: 8 }, '`epoch` of HELLO must be 1, not 8.'],
    ['another engine', { engine: 'onnx' }, '`engine` of HELLO must be "none", not "onnx".'],
    ['programs that are no list', { programs: 'noop' }, '`programs` of HELLO must be a list, not "noop".'],
  ])('of %s is refused', (_, fields, message) => {
    expect(() => conversation.read(hello(fields))).toThrow(message)
  })

  test('comes once', () => {
    conversation.read(hello())
    expect(() => conversation.read(hello())).toThrow('HELLO came a second time.')
    expect(seen).toEqual(['hello'])
  })
})

describe('after the greeting', () => {
  beforeEach(() => conversation.read(hello()))

  test('a task goes out as the protocol says, without what it has not', async () => {
    conversation.tasks.admit([admitted(5), { ...admitted(2 ** 40), deadlineMs: 1500 }])
    await turn()
    const fields = {
      model: 3,
      program: 'noop',
      components: [],
      request: { text: 'ü' },
      class: 'interactive',
      order: 9,
      credit: 16,
      attempt: 1,
    }
    expect(readRequests(written)).toEqual([
      {
        type: 'admit',
        requestId: 1,
        meta: {
          tasks: [
            { task: 5, ...fields },
            { task: 2 ** 40, ...fields, deadlineMs: 1500 },
          ],
        },
      },
    ])
  })

  test('a task that takes and holds outputs, of the second stage, says so; one with a saved state goes by RESTORE', async () => {
    const saved = Buffer.from('state')
    conversation.tasks.admit([
      { ...admitted(5), isHeld: true, inputs: { decode: 4 as TaskId }, stage: 'postprocessing' },
      { ...admitted(6), saved },
    ])
    await turn()
    expect(readRequests(written)).toMatchObject([
      { type: 'admit', meta: { tasks: [{ task: 5, hold: true, inputs: { decode: 4 }, stage: 'postprocessing' }] } },
      { type: 'restore', meta: { tasks: [{ task: 6, saved }] } },
    ])
    expect(readRequests(written)[1]?.meta['tasks']).not.toHaveProperty('0.hold')
  })

  test('tasks are paused, go on, are written down, and let go of what they hold', async () => {
    conversation.tasks.admit([admitted(5), { ...admitted(6), isHeld: true }])
    conversation.tasks.pause([5 as TaskId])
    const paused = { kind: 'paused', task: 5, stateBytes: 400 }
    const held = { kind: 'done', task: 6, output: {}, stepsRun: 1, heldBytes: 4096 }
    conversation.read(report('checkpointed', { task: 5, step: 7, saved: Buffer.from('state') }))
    conversation.read(report('steps', { entries: [held, paused], progress: 1 }))
    conversation.tasks.resume([5 as TaskId])
    conversation.tasks.checkpoint([5 as TaskId])
    conversation.tasks.release([6 as TaskId])
    await turn()
    expect(readRequests(written).map(({ type }) => type)).toEqual(['admit', 'pause', 'resume', 'checkpoint', 'release'])
    expect(listener.told).toEqual([
      ['taskCheckpointed', workerId, 5, 7, Buffer.from('state')],
      [
        'stepsReported',
        workerId,
        [
          { kind: 'done', taskId: 6, output: {}, stepsRun: 1, heldBytes: 4096 },
          { kind: 'paused', taskId: 5, stateBytes: 400 },
        ],
      ],
    ])
  })

  test('the state of a task that is not here, or a very large one, is refused', () => {
    const checkpoint = (task: number, sizeBytes: number) =>
      report('checkpointed', { task, step: 1, saved: Buffer.alloc(sizeBytes) })
    conversation.tasks.admit([admitted(5)])
    conversation.read(checkpoint(5, 4 * 1024 * 1024))
    expect(() => conversation.read(checkpoint(5, 4 * 1024 * 1024 + 1))).toThrow('at most 4194304 bytes, not 4194305')
    expect(() => conversation.read(checkpoint(6, 1))).toThrow('`CHECKPOINTED` came for task 6')
    expect(listener.of('taskCheckpointed')).toHaveLength(1)
  })

  test('a preview is passed on, unless it is too large or no picture', () => {
    conversation.tasks.admit([admitted(5)])
    const preview = (fields: object) => {
      const entry = { kind: 'preview', task: 5, step: 3, mimeType: 'image/png', picture: Buffer.from('png'), ...fields }
      return report('steps', { entries: [entry], progress: 1 })
    }
    conversation.read(preview({}))
    expect(listener.told).toEqual([
      [
        'stepsReported',
        workerId,
        [{ kind: 'preview', taskId: 5, step: 3, mimeType: 'image/png', picture: Buffer.from('png') }],
      ],
    ])
    expect(() => conversation.read(preview({ picture: Buffer.alloc(512 * 1024 + 1) }))).toThrow('at most 524288 bytes')
    expect(() => conversation.read(preview({ mimeType: 'text/html' }))).toThrow('`mimeType` of preview must be one of')
  })

  test('a lease that is given back is told, unless it has been granted again meanwhile', async () => {
    conversation.revokeLease()
    conversation.grantLease()
    conversation.revokeLease()
    await turn()
    expect(readRequests(written).map(({ type }) => type)).toEqual(['revoke', 'lease', 'revoke'])
    const revoked = (requestId: number) => report('revoked', { stepMs: 0 }, { requestId })
    conversation.read(revoked(1))
    expect(listener.told).toEqual([])
    conversation.read(revoked(3))
    expect(listener.told).toEqual([['leaseRevoked', workerId]])
    expect(() => conversation.read(revoked(3))).toThrow('REVOKED came to request 3, which was no REVOKE.')
    expect(() => conversation.read(revoked(2))).toThrow('REVOKED came to request 2, which was no REVOKE.')
  })

  test('a worker may compute while a task is not paused and it has the lease, and while it loads', async () => {
    expect(conversation.mayCompute).toBe(false)
    conversation.tasks.admit([admitted(5)])
    expect(conversation.mayCompute).toBe(true)
    conversation.tasks.pause([5 as TaskId])
    expect(conversation.mayCompute).toBe(true)
    conversation.read(report('steps', { entries: [{ kind: 'paused', task: 5, stateBytes: 0 }], progress: 1 }))
    expect(conversation.mayCompute).toBe(false)
    conversation.tasks.resume([5 as TaskId])
    conversation.revokeLease()
    await turn()
    conversation.read(report('revoked', { stepMs: 0 }, { requestId: 4, acknowledged: 4 }))
    expect(conversation.mayCompute).toBe(false)
    conversation.load({ versionId: version, manifest: {}, directory: '/', components: [] })
    expect(conversation.mayCompute).toBe(true)
  })

  test('a PONG tells how long its program says that the running step lasts, if it says so', () => {
    conversation.read(report('pong', { progress: 3, busy: true }))
    conversation.read(report('pong', { progress: 3, busy: true, stepMs: 1500 }))
    expect(seen).toEqual(['hello', 'pong 3 true', 'pong 3 true 1500'])
  })

  test('what its tasks have handed to each other goes into the figures', () => {
    const stats = { privateBytes: 7, residentBytes: 9, progress: 1, cpuMs: 1.5 }
    const handOver = { tensors: 3, bytes: 300, copiedBytes: 100, gatheredBytes: 50 }
    conversation.read(report('statsReport', { ...stats, handOver }))
    conversation.read(report('statsReport', stats))
    expect(seen).toEqual(['hello', 'stats 7', 'stats 7'])
    expect(memory.info()).toMatchObject({
      handedTensors: 3,
      handedBytes: 300,
      handOverCopiedBytes: 100,
      gatheredBytes: 50,
    })
  })

  test('what a worker says of its tasks is passed on in order, tensors as copies', () => {
    conversation.tasks.admit([admitted(5), admitted(6)])
    const payload = Buffer.from(Float32Array.of(1, 2).buffer)
    const tensor = { dtype: 'float32', shape: [1, 2], span: { offset: 0, length: 8 } }
    const entries = [
      { kind: 'started', task: 5 },
      { kind: 'step', task: 5, done: 1, total: 4, unit: 'steps' },
      { kind: 'done', task: 5, output: { vectors: [tensor], big: 2n ** 60n }, stepsRun: 4 },
      { kind: 'withdrawn', task: 6 },
    ]
    const frame = report('steps', { entries, progress: 4 }, { payload })
    conversation.read(frame)
    frame.fill(0)
    expect(listener.told).toEqual([
      [
        'stepsReported',
        workerId,
        [
          { kind: 'started', taskId: 5 },
          { kind: 'step', taskId: 5, done: 1, total: 4, unit: 'steps' },
          {
            kind: 'done',
            taskId: 5,
            output: {
              vectors: [{ dtype: 'float32', shape: [1, 2], data: new Uint8Array(Float32Array.of(1, 2).buffer) }],
              big: '1152921504606846976',
            },
            stepsRun: 4,
            heldBytes: 0,
          },
          { kind: 'withdrawn', taskId: 6 },
        ],
      ],
    ])
    expect(conversation.tasks.endedCount).toBe(1)
    expect(conversation.tasks.count).toBe(0)
  })

  test('a task that has ended cannot end again', () => {
    conversation.tasks.admit([admitted(5)])
    const done = report('steps', { entries: [{ kind: 'done', task: 5, output: {}, stepsRun: 1 }], progress: 1 })
    conversation.read(done)
    expect(() => conversation.read(done)).toThrow('`done` came for task 5, which this worker does not have.')
    expect(listener.of('stepsReported')).toHaveLength(1)
  })

  test('items of a task are passed on with the credit that is left', () => {
    conversation.tasks.admit([admitted(5)])
    conversation.read(report('partial', { task: 5, values: [1, 'a', null], left: 13 }))
    expect(listener.told).toEqual([['partial', workerId, 5, [1, 'a', null], 13]])
    expect(() => conversation.read(report('partial', { task: 6, values: [], left: 0 }))).toThrow('task 6')
  })

  test('a task that emits more items than it has credit for breaks the protocol', () => {
    conversation.tasks.admit([admitted(5)])
    const items = (count: number) => report('partial', { task: 5, values: Array(count).fill(1), left: 0 })
    conversation.read(items(16))
    conversation.tasks.credit(5 as TaskId, 2)
    expect(() => conversation.read(items(3))).toThrow('`PARTIAL` came with 3 items of task 5, which has credit for 2.')
    conversation.read(items(2))
    expect(listener.of('partial')).toHaveLength(2)
  })

  test('slabs are not asked for again before an answer has left', async () => {
    const ask = report('slabRequest', { sizeBytes: 2 ** 40, count: 1 })
    conversation.read(ask)
    expect(() => conversation.read(ask)).toThrow('SLAB_REQUEST came again')
    await turn()
    expect(readRequests(written).map(({ type }) => type)).toEqual(['slabGrant'])
    conversation.read(ask)
  })

  test('a program may call a field of its output as tensors in memory call theirs', () => {
    conversation.tasks.admit([admitted(5)])
    const output = { tensor: { dtype: 'uint8', shape: [1], region: { release: 1 } } }
    conversation.read(report('steps', { entries: [{ kind: 'done', task: 5, output, stepsRun: 1 }], progress: 1 }))
    const told = listener.of('stepsReported')
    expect(told).toMatchObject([['stepsReported', workerId, [{ output }]]])
    releaseRegions(told)
  })

  test('what a worker says of its own failure is told in short', () => {
    const message = 'x'.repeat(100_000)
    const read = () => conversation.read(report('error', { code: 'protocol', message, retryable: false }))
    expect(read).toThrow(/^.{1000}…$/)
  })

  test('credit for a task that has ended is not sent', async () => {
    conversation.tasks.admit([admitted(5)])
    conversation.tasks.credit(5 as TaskId, 10)
    conversation.tasks.credit(6 as TaskId, 10)
    await turn()
    expect(readRequests(written).map(({ type, meta }) => [type, meta])).toContainEqual([
      'credit',
      { tasks: [{ task: 5, items: 10 }] },
    ])
  })

  test('a request that no frame can hold fails by itself, and the others go out', async () => {
    conversation.tasks.admit([{ ...admitted(5), request: { text: 'x'.repeat(17 * 1024 * 1024) } }, admitted(6)])
    expect(listener.told).toEqual([])
    await turn()
    expect(listener.told).toMatchObject([
      ['stepsReported', workerId, [{ kind: 'failed', taskId: 5, code: 'invalid_request', retryable: false }]],
    ])
    expect(readRequests(written)).toMatchObject([{ type: 'admit', meta: { tasks: [{ task: 6 }] } }])
    expect(conversation.tasks.count).toBe(1)
  })

  test('a model is loading until its LOAD is answered', async () => {
    conversation.load({
      versionId: version,
      manifest: { name: 'tiny' },
      directory: '/models/tiny',
      components: ['encoder'],
    })
    expect(conversation.isLoading).toBe(true)
    await turn()
    expect(readRequests(written)[0]?.meta).toEqual({
      model: 3,
      manifest: { name: 'tiny' },
      directory: '/models/tiny',
      components: ['encoder'],
    })
    conversation.read(
      report(
        'loaded',
        { model: 3, loadMs: 9.5, weightsBytes: 100, privateBytes: 7 },
        { requestId: 1, acknowledged: 1 },
      ),
    )
    expect(conversation.isLoading).toBe(false)
    expect(listener.told).toEqual([
      ['modelLoaded', workerId, version, { loadMs: 9.5, weightsBytes: 100, privateBytes: 7 }],
    ])
  })

  test('components are told one by one while their model is loaded, each once', async () => {
    const component = (name: string) =>
      report('componentLoaded', { model: 3, component: name, loadMs: 1, weightsBytes: 10 })
    conversation.load({ versionId: version, manifest: {}, directory: '/', components: ['encoder', 'decoder'] })
    expect(() => conversation.read(component('encoder'))).toThrow('which is not being loaded')
    await turn()
    conversation.read(component('decoder'))
    conversation.read(component('encoder'))
    expect(() => conversation.read(component('encoder'))).toThrow('which is not being loaded')
    expect(() => conversation.read(component('vae'))).toThrow('"vae" of model 3, which is not being loaded')
    expect(listener.told).toEqual([
      ['componentLoaded', workerId, version, 'decoder'],
      ['componentLoaded', workerId, version, 'encoder'],
    ])
  })

  test('a load that fails is told with its reason', async () => {
    conversation.load({ versionId: version, manifest: {}, directory: '/', components: [] })
    await turn()
    conversation.read(
      report(
        'error',
        { code: 'out_of_memory', message: 'No room.', retryable: true },
        { requestId: 1, acknowledged: 1 },
      ),
    )
    expect(listener.told).toEqual([
      ['modelLoadFailed', workerId, version, { code: 'out_of_memory', message: 'No room.', retryable: true }],
    ])
  })

  test('an answer to a load that was never asked is refused', () => {
    expect(() =>
      conversation.read(report('loaded', { model: 3, loadMs: 1, weightsBytes: 1, privateBytes: 1 }, { requestId: 1 })),
    ).toThrow('Request 1 was answered as if it had been to load model 3.')
  })

  test('an error to anything else ends the conversation, but for what is only unsupported', () => {
    conversation.read(report('error', { code: 'unsupported', message: 'No stats here.', retryable: false }))
    expect(seen).toContain('warning: No stats here.')
    expect(() =>
      conversation.read(report('error', { code: 'protocol', message: 'Bad magic.', retryable: false })),
    ).toThrow('The worker answered the stream with an error (protocol): Bad magic.')
  })

  test('a tensor by reference is refused while no slab was granted', () => {
    conversation.tasks.admit([admitted(5)])
    const slab = { slabId: 1, generation: 1, offset: 0, length: 8 }
    const entries = [{ kind: 'done', task: 5, output: { tensor: { dtype: 'float32', shape: [2], slab } }, stepsRun: 1 }]
    expect(() => conversation.read(report('steps', { entries, progress: 1 }))).toThrow('none was granted')
  })

  test('after it was closed nothing is passed on by itself', async () => {
    conversation.tasks.admit([{ ...admitted(5), request: { text: 'x'.repeat(17 * 1024 * 1024) } }])
    conversation.close()
    await turn()
    expect(listener.told).toEqual([])
    expect(written).toEqual([])
  })
})

function admitted(taskId: number): AdmittedTask {
  return {
    taskId: taskId as TaskId,
    versionId: version,
    program: 'noop',
    components: [],
    request: { text: 'ü' },
    class: 'interactive',
    order: 9,
    attempt: 1,
    deadlineMs: null,
    credit: 16,
    stage: 'inference',
    isHeld: false,
    inputs: {},
    saved: null,
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}
