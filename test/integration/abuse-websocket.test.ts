/** What no client would do to the WebSocket door. Each ends the abuser's own connection at most; the others go on, and memory stays bounded. */
import { describe, expect, test } from 'vitest'
import { type OpenDoors, openDoors } from '../support/open-doors.ts'
import { frame, opcode, RawWebSocket } from '../support/raw-connection.ts'
import { RawSocket } from '../support/raw-socket.ts'
import { until } from '../support/until.ts'

const endless = 'subscription { jobChanges { to } }'
const version = '{ server { version } }'
const text = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const mebibyte = 1024 * 1024

/** Somebody well-behaved, who must not notice. */
async function stillServes(doors: OpenDoors): Promise<void> {
  const raw = await RawSocket.open(doors.webSocketUrl)
  raw.subscribe('1', version)
  expect(await raw.next(({ type }) => type === 'next')).toMatchObject({ payload: { data: { server: {} } } })
  raw.socket.terminate()
}

describe('messages', () => {
  test.for([
    ['connection_init twice', { type: 'connection_init' }, 4429],
    ['an unknown type', { type: 'connection_terminate' }, 4400],
    ['a message of the server', { type: 'next', id: '1', payload: { data: {} } }, 4400],
    ['an acknowledgement', { type: 'connection_ack' }, 4400],
    ['an error', { type: 'error', id: '1', payload: [{ message: 'x' }] }, 4400],
    ['a list', [], 4400],
    ['null', null, 4400],
    ['no type', {}, 4400],
    ['a type that is a list', { type: ['ping'] }, 4400],
    ['no id', { type: 'subscribe', payload: { query: version } }, 4400],
    ['an empty id', { type: 'subscribe', id: '', payload: { query: version } }, 4400],
    ['an id that is a number', { type: 'subscribe', id: 1, payload: { query: version } }, 4400],
    ['no payload', { type: 'subscribe', id: '1' }, 4400],
    ['variables that are a text', { type: 'subscribe', id: '1', payload: { query: version, variables: 'x' } }, 4400],
    [
      'an operation name that is a list',
      { type: 'subscribe', id: '1', payload: { query: version, operationName: [] } },
      4400,
    ],
    ['completing a number', { type: 'complete', id: 7 }, 4400],
    ['a ping with a text', { type: 'ping', payload: 'x' }, 4400],
  ] as const)('%s closes the socket with its code', async ([, message, code]) => {
    const doors = await openDoors()
    const raw = await RawWebSocket.initialised(doors.webSocketUrl)
    raw.say(message)
    expect(await raw.closeCode()).toBe(code)
    expect(doors.log).toEqual([])
    await stillServes(doors)
  })

  test('who never introduces itself is let go', async () => {
    const raw = await RawWebSocket.open((await openDoors()).webSocketUrl)
    expect(await raw.closeCode()).toBe(4408)
  })

  test('an id in use that is too long to be named in the reason closes the socket all the same', async () => {
    const doors = await openDoors()
    const raw = await RawWebSocket.initialised(doors.webSocketUrl)
    const id = '\u00e9'.repeat(1000)
    for (let twice = 0; twice < 2; twice++) raw.say({ type: 'subscribe', id, payload: { query: endless } })
    expect(await raw.closeCode()).toBe(4409)
    expect(doors.log).toEqual([])
  })

  test.for(['__proto__', 'constructor', 'toString', '\u0000', '\ud800'])(
    'the id %j is one like any other',
    async (id) => {
      const doors = await openDoors()
      const raw = await RawSocket.open(doors.webSocketUrl)
      raw.subscribe(id, version)
      await raw.next((message) => message.id === id && message.type === 'complete')
      raw.subscribe(id, endless)
      await until('it runs', () => doors.app.changeTopic.followerCount === 1)
      raw.say({ type: 'complete', id })
      await until('it is released', () => doors.app.changeTopic.followerCount === 0)
      raw.socket.terminate()
    },
  )

  test('completing what never was, and answering what nobody asked, do nothing', async () => {
    const raw = await RawSocket.open((await openDoors()).webSocketUrl)
    for (const id of ['never', '__proto__', 'constructor']) raw.say({ type: 'complete', id })
    raw.say({ type: 'pong', payload: { unasked: true } })
    raw.subscribe('1', version)
    await raw.next(({ type }) => type === 'complete')
    expect(raw.messages.map(({ type }) => type)).toEqual(['connection_ack', 'next', 'complete'])
    raw.socket.terminate()
  })

  test('a thousand subscriptions, begun and left in one breath, leave nothing behind', async () => {
    const doors = await openDoors()
    const raw = await RawSocket.open(doors.webSocketUrl)
    for (let id = 0; id < 1000; id++) raw.subscribe(String(id), endless)
    await until('all run', () => doors.app.changeTopic.followerCount === 1000)
    for (let id = 0; id < 1000; id++) raw.say({ type: 'complete', id: String(id) })
    await until('none runs', () => doors.app.changeTopic.followerCount === 0)
    raw.socket.terminate()
  })
})

describe('frames', () => {
  const hello = text({ type: 'ping' })

  test.for([
    ['text that is no UTF-8', [frame(opcode.text, Buffer.of(0x7b, 0xc3, 0x28))], 1007],
    ['a surrogate written as UTF-8', [frame(opcode.text, Buffer.of(0xed, 0xa0, 0x80))], 1007],
    ['a binary message', [frame(opcode.binary, hello)], 1003],
    ['no mask', [frame(opcode.text, hello, { isMasked: false })], 1002],
    ['reserved bits', [frame(opcode.text, hello, { first: 0xf1 })], 1002],
    ['compression that was not agreed on', [frame(opcode.text, hello, { first: 0xc1 })], 1002],
    ['a reserved opcode', [frame(3, hello)], 1002],
    ['a reserved control opcode', [frame(0xb, Buffer.alloc(0))], 1002],
    ['a continuation of nothing', [frame(opcode.continuation, hello)], 1002],
    [
      'a message within a message',
      [frame(opcode.text, Buffer.from('{'), { isLast: false }), frame(opcode.text, hello)],
      1002,
    ],
    ['a ping in pieces', [frame(opcode.ping, hello, { isLast: false })], 1002],
    ['a ping that is too long', [frame(opcode.ping, Buffer.alloc(126))], 1002],
    ['a close without a whole code', [frame(opcode.close, Buffer.of(3))], 1002],
    ['a close with a code that is none', [frame(opcode.close, Buffer.of(0, 5))], 1002],
    ['an announced exabyte', [frame(opcode.text, hello, { announced: 1n << 60n })], 1009],
    ['a length beyond all numbers', [frame(opcode.text, hello, { announced: (1n << 64n) - 1n })], 1009],
    ['an announced frame above the limit', [frame(opcode.text, hello, { announced: 8n * 1024n * 1024n + 1n })], 1009],
  ] as const)('%s closes the socket', async ([, frames, code]) => {
    const doors = await openDoors()
    const raw = await RawWebSocket.initialised(doors.webSocketUrl)
    for (const one of frames) raw.connection.write(one)
    expect(await raw.closeCode()).toBe(code)
    expect(doors.log).toEqual([])
    await stillServes(doors)
  })

  test('a message may come byte by byte, with pings in between', async () => {
    const raw = await RawWebSocket.initialised((await openDoors()).webSocketUrl)
    const bytes = text({ type: 'subscribe', id: '1', payload: { query: version } })
    for (const [index, byte] of bytes.entries()) {
      const code = index === 0 ? opcode.text : opcode.continuation
      raw.connection.write(frame(code, Buffer.of(byte), { isLast: index === bytes.length - 1 }))
      if (index === 10) raw.connection.write(frame(opcode.ping, Buffer.from('x')))
    }
    const [pong, next] = [await raw.next(), await raw.next()]
    expect(pong).toMatchObject({ opcode: opcode.pong })
    expect(next?.payload.toString()).toContain('"next"')
  })

  test('a message in pieces that is larger than the limit is stopped before it is whole', async () => {
    const doors = await openDoors({ HEARTH_MAX_BODY_BYTES: '100000' })
    const raw = await RawWebSocket.initialised(doors.webSocketUrl)
    for (let piece = 0; piece < 11; piece++) {
      const code = piece === 0 ? opcode.text : opcode.continuation
      raw.connection.write(frame(code, Buffer.alloc(10_000, ' '), { isLast: false }))
    }
    expect(await raw.closeCode()).toBe(1009)
  })

  test('a message in very many pieces is stopped, though it is small', async () => {
    const doors = await openDoors()
    const raw = await RawWebSocket.initialised(doors.webSocketUrl)
    const pieces = Buffer.concat(
      Array.from({ length: 20_000 }, () => frame(opcode.continuation, Buffer.of(32), { isLast: false })),
    )
    raw.connection.write(frame(opcode.text, Buffer.of(32), { isLast: false }))
    raw.connection.write(pieces)
    expect(await raw.closeCode()).toBe(1008)
    await stillServes(doors)
  })

  test('who hangs up halfway through a frame, a message or an operation leaves nothing behind', async () => {
    const doors = await openDoors()
    const whole = frame(opcode.text, text({ type: 'subscribe', id: '2', payload: { query: endless } }))
    for (const cut of [1, 3, 7, whole.length - 1]) {
      const raw = await RawWebSocket.initialised(doors.webSocketUrl)
      raw.say({ type: 'subscribe', id: '1', payload: { query: endless } })
      await until('it runs', () => doors.app.changeTopic.followerCount === 1)
      raw.connection.write(whole.subarray(0, cut))
      raw.connection.socket.resetAndDestroy()
      await until('it is released', () => doors.app.changeTopic.followerCount === 0)
    }
  })

  test('who only ends its own half is closed, and released', async () => {
    const doors = await openDoors()
    const raw = await RawWebSocket.initialised(doors.webSocketUrl)
    raw.say({ type: 'subscribe', id: '1', payload: { query: endless } })
    await until('it runs', () => doors.app.changeTopic.followerCount === 1)
    raw.connection.socket.end()
    await raw.connection.ended
    await until('it is released', () => doors.app.changeTopic.followerCount === 0)
  })
})

describe('floods of one who reads nothing', () => {
  const floodBytes = 64 * mebibyte
  const boundBytes = 48 * mebibyte

  test.for([
    ['pings of WebSocket', frame(opcode.ping, Buffer.alloc(125, 'p'))],
    ['pings of the protocol', frame(opcode.text, text({ type: 'ping', payload: { p: 'p'.repeat(1000) } }))],
    [
      'operations that fail',
      frame(opcode.text, text({ type: 'subscribe', id: '1', payload: { query: '{ nope }'.padEnd(1000) } })),
    ],
  ] as const)('%s', async ([, one]) => {
    const doors = await openDoors()
    const raw = await RawWebSocket.initialised(doors.webSocketUrl)
    raw.connection.socket.pause()
    const before = settledBytes()
    const many = Buffer.concat(Array.from({ length: Math.ceil(mebibyte / one.length) }, () => one))
    await sendUntilStuck(raw, many, floodBytes)
    await stillServes(doors)
    expect(settledBytes() - before - raw.connection.socket.writableLength).toBeLessThan(boundBytes)
  })
})

/** Until everything is sent, or the server has taken nothing for a while. */
async function sendUntilStuck({ connection: { socket } }: RawWebSocket, bytes: Buffer, total: number): Promise<void> {
  let sent = 0
  let taken = -1
  let idlePolls = 0
  await until('all is sent, or nothing more is taken', () => {
    while (sent < total && socket.writableLength < mebibyte && socket.writable) {
      socket.write(bytes)
      sent += bytes.length
    }
    const now = socket.bytesWritten - socket.writableLength
    idlePolls = now === taken ? idlePolls + 1 : 0
    taken = now
    return !socket.writable || idlePolls >= 15
  })
}

/** Memory that is really held: what can be collected, is. */
function settledBytes(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
