import { beforeEach, describe, expect, test } from 'vitest'
import { encode } from '../../../../src/runtime/workers/message-pack.ts'
import { Outbox } from '../../../../src/runtime/workers/outbox.ts'
import { ProtocolError } from '../../../../src/runtime/workers/protocol-error.ts'
import { emptyMeta, requestType } from '../../../../src/runtime/workers/requests.ts'
import type { TaskId } from '../../../../src/scheduler/ids.ts'
import { readRequests, type SentRequest } from '../../../support/frames.ts'

const task = (number: number) => number as TaskId
let now: number
let writes: SentRequest[][]
let isFull: boolean
let outbox: Outbox

beforeEach(() => {
  now = 0
  writes = []
  isFull = false
  outbox = new Outbox({
    now: () => now,
    depth: 3,
    joinedBytesMax: 1000,
    write: (frames) => {
      writes.push(readRequests(frames))
      return !isFull
    },
  })
})

describe('before its hello', () => {
  test('nothing is sent to a worker, and everything afterwards', async () => {
    outbox.send(requestType.ping, emptyMeta)
    await turn()
    expect(writes).toEqual([])
    outbox.open()
    await turn()
    expect(types()).toEqual(['ping'])
  })
})

describe('once open', () => {
  beforeEach(() => outbox.open())

  test('frames of one turn leave in one write, numbered from 1', async () => {
    outbox.send(requestType.ping, emptyMeta)
    admit(1)
    admit(2)
    await turn()
    expect(writes).toEqual([
      [
        { type: 'ping', requestId: 1, meta: {} },
        { type: 'admit', requestId: 2, meta: { tasks: [{ task: 1 }, { task: 2 }] } },
      ],
    ])
  })

  test('no more frames than the depth are unacknowledged; what waits leaves as one frame of each kind', async () => {
    for (let number = 1; number <= 3; number += 1) outbox.send(requestType.ping, emptyMeta)
    await turn()
    for (let number = 1; number <= 50; number += 1) {
      admit(number)
      outbox.ask('cancel', task(number))
      await turn()
    }
    expect(types()).toEqual(['ping', 'ping', 'ping'])
    outbox.acknowledge(2)
    await turn()
    expect(types().slice(3)).toEqual(['admit', 'cancel'])
    expect(sent()[3]?.meta['tasks']).toHaveLength(50)
    expect(sent()[4]?.meta['tasks']).toHaveLength(50)
  })

  test('requests about one task are never overtaken by later ones', async () => {
    outbox.ask('cancel', task(7))
    admit(7)
    outbox.ask('withdraw', task(7))
    outbox.acknowledge(0)
    await turn()
    expect(types()).toEqual(['cancel', 'admit', 'withdraw'])
  })

  test('a request of another kind keeps its place between requests about tasks', async () => {
    admit(1)
    outbox.send(requestType.policy, emptyMeta)
    admit(2)
    await turn()
    expect(types()).toEqual(['admit', 'policy', 'admit'])
  })

  test('admissions that keep coming do not hold up a cancellation', async () => {
    for (let number = 1; number <= 3; number += 1) outbox.send(requestType.ping, emptyMeta)
    await turn()
    admit(1)
    outbox.ask('cancel', task(9))
    for (let number = 1; number <= 3; number += 1) {
      outbox.acknowledge(number)
      admit(100 + number)
      await turn()
    }
    expect(types().slice(3)).toEqual(['admit', 'cancel', 'admit'])
  })

  test('restored tasks are admitted in their place among the others', async () => {
    admit(1)
    admit(2)
    restore(3)
    restore(4)
    admit(5)
    await turn()
    expect(frames()).toEqual([
      ['admit', 1, 2],
      ['restore', 3, 4],
      ['admit', 5],
    ])
    expect(sent()[1]?.meta).toEqual({ tasks: [3, 4].map((number) => ({ task: number, saved: Buffer.from('state') })) })
  })

  test.each(['withdraw', 'cancel', 'pause', 'checkpoint'] as const)(
    '%s never overtakes a restoring of the task',
    async (what) => {
      outbox.ask(what, task(9))
      restore(3)
      outbox.ask(what, task(3))
      await turn()
      expect(frames()).toEqual([
        [what, 9],
        ['restore', 3],
        [what, 3],
      ])
    },
  )

  test('what waits behind very many other frames is not joined', async () => {
    for (let number = 1; number <= 3; number += 1) outbox.send(requestType.ping, emptyMeta)
    await turn()
    outbox.ask('cancel', task(9))
    for (let pair = 1; pair <= 10; pair += 1) {
      outbox.ask('pause', task(1))
      outbox.ask('resume', task(1))
    }
    outbox.ask('cancel', task(10))
    for (let number = 1; number <= 24; number += 1) {
      outbox.acknowledge(number)
      await turn()
    }
    const others = frames().slice(3)
    expect(others[0]).toEqual(['cancel', 9])
    expect(others.at(-1)).toEqual(['cancel', 10])
    expect(others).toHaveLength(22)
  })

  test('pauses and resumptions of one task alternate; those of others join them', async () => {
    for (const number of [1, 2]) outbox.ask('pause', task(number))
    for (const number of [1, 2]) outbox.ask('resume', task(number))
    outbox.ask('pause', task(1))
    outbox.ask('resume', task(3))
    await turn()
    expect(frames()).toEqual([
      ['pause', 1, 2],
      ['resume', 1, 2, 3],
      ['pause', 1],
    ])
  })

  test('what a task takes is not let go of before it was admitted', async () => {
    outbox.ask('release', task(8))
    outbox.admit('admit', task(2), encode({ task: 2 }), [task(1)])
    outbox.ask('release', task(1))
    outbox.ask('release', task(7))
    await turn()
    expect(frames()).toEqual([
      ['release', 8],
      ['admit', 2],
      ['release', 1, 7],
    ])
  })

  test('joined requests are cut into frames of bounded size, and a large one goes alone', async () => {
    for (let number = 1; number <= 4; number += 1) admit(number, { request: 'x'.repeat(400) })
    admit(5, { request: 'x'.repeat(5000) })
    await turn()
    expect(sent().map(({ meta }) => (meta['tasks'] as readonly { task: number }[]).map(({ task }) => task))).toEqual([
      [1, 2],
      [3, 4],
      [5],
    ])
  })

  test('a full stream holds everything back until it takes bytes again', async () => {
    isFull = true
    outbox.send(requestType.ping, emptyMeta)
    await turn()
    outbox.send(requestType.stats, emptyMeta)
    await turn()
    expect(types()).toEqual(['ping'])
    isFull = false
    outbox.writable()
    await turn()
    expect(types()).toEqual(['ping', 'stats'])
  })

  test('an acknowledgement covers all earlier frames, and may be repeated', async () => {
    for (let number = 1; number <= 3; number += 1) outbox.send(requestType.ping, emptyMeta)
    await turn()
    outbox.acknowledge(2)
    outbox.acknowledge(2)
    expect(() => outbox.acknowledge(1)).toThrow(ProtocolError)
    expect(() => outbox.acknowledge(4)).toThrow('The worker acknowledged request 4; 3 to 3 were unacknowledged.')
  })

  test('silence is the age of the oldest unacknowledged frame', async () => {
    expect(outbox.silenceMs(500)).toBe(0)
    now = 1000
    outbox.send(requestType.ping, emptyMeta)
    await turn()
    now = 1200
    outbox.send(requestType.ping, emptyMeta)
    await turn()
    expect(outbox.silenceMs(1700)).toBe(700)
    outbox.acknowledge(1)
    expect(outbox.silenceMs(1700)).toBe(500)
  })

  test('who sends a request learns its number when it leaves', async () => {
    const numbers: number[] = []
    for (let number = 1; number <= 4; number += 1)
      outbox.send(requestType.load, emptyMeta, (requestId) => numbers.push(requestId))
    await turn()
    expect(numbers).toEqual([1, 2, 3])
    outbox.acknowledge(1)
    await turn()
    expect(numbers).toEqual([1, 2, 3, 4])
  })

  test('after closing nothing is sent any more', async () => {
    outbox.send(requestType.ping, emptyMeta)
    outbox.close()
    outbox.send(requestType.ping, emptyMeta)
    await turn()
    expect(writes).toEqual([])
  })
})

function admit(number: number, fields: object = {}): void {
  outbox.admit('admit', task(number), encode({ task: number, ...fields }))
}

function restore(number: number): void {
  outbox.admit('restore', task(number), encode({ task: number, saved: Buffer.from('state') }))
}

/** Each frame as its type and its tasks. */
function frames(): [string, ...unknown[]][] {
  return sent().map(({ type, meta }) => [type, ...((meta['tasks'] ?? []) as readonly unknown[]).map(numberOf)])
}

function numberOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && 'task' in entry ? entry.task : entry
}

function sent(): SentRequest[] {
  return writes.flat()
}

function types(): string[] {
  return sent().map(({ type }) => type)
}

/** Everything that was put off to the end of this turn of the event loop has happened. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}
