/** The WebSocket door: the protocol, and the limits that hold on each socket. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ModelRecord } from '../../src/store/records.ts'
import { FakeApp, textModel } from '../support/fake-app.ts'
import { openDoors } from '../support/open-doors.ts'
import { RawSocket, refusedUpgrade } from '../support/raw-socket.ts'
import { until } from '../support/until.ts'

const endless = 'subscription { jobChanges { to } }'
const version = '{ server { version } }'

describe('upgrades', () => {
  test('only to /graphql', async () => {
    const { status, body } = await refusedUpgrade((await openDoors()).webSocketUrl.replace('/graphql', '/elsewhere'))
    expect(status).toBe(404)
    expect(body).toContain('The WebSocket is at /graphql.')
  })

  test.for([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { host: 'evil.example' },
    { 'sec-fetch-site': 'cross-site' },
  ])('not with %o', async (headers) => {
    const { status, body } = await refusedUpgrade((await openDoors()).webSocketUrl, headers)
    expect(status).toBe(403)
    expect(body).toContain('FORBIDDEN')
  })

  test('a refused client that never hangs up is hung up on', async () => {
    const doors = await openDoors()
    const { port } = new URL(doors.url)
    const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
    onTestFinished(() => void socket.destroy())
    socket.write(
      `GET /nowhere HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
        'sec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\nsec-websocket-version: 13\r\n\r\n',
    )
    socket.resume()
    await once(socket, 'end')
    // Sooner than the grace: nothing may be left to wait for.
    await doors.close(60_000)
  })

  test('closing ends in time though a client neither reads nor hangs up', async () => {
    const doors = await openDoors()
    const raw = await RawSocket.open(doors.webSocketUrl)
    raw.socket.pause()
    await doors.close(50)
    raw.socket.terminate()
  })

  test('from a page of a loopback origin, or without any', async () => {
    const doors = await openDoors()
    for (const headers of [{ origin: 'http://localhost:5173' }, {}]) {
      const raw = new RawSocket(doors.webSocketUrl, { headers })
      await once(raw.socket, 'open')
      raw.socket.terminate()
    }
  })

  test('a client that does not speak the protocol is told so', async () => {
    const raw = new RawSocket((await openDoors()).webSocketUrl, { protocols: [] })
    expect(await raw.closed).toMatchObject({ code: 4406 })
  })
})

describe('the protocol', () => {
  test('an operation runs between connection_ack and complete', async () => {
    const raw = await RawSocket.open((await openDoors()).webSocketUrl)
    raw.subscribe('1', version)
    await raw.next(({ type }) => type === 'complete')
    expect(raw.messages).toEqual([
      { type: 'connection_ack' },
      { id: '1', type: 'next', payload: { data: { server: { version: '0.1.0' } } } },
      { id: '1', type: 'complete' },
    ])
  })

  test('nothing runs before connection_init', async () => {
    const raw = new RawSocket((await openDoors()).webSocketUrl)
    await once(raw.socket, 'open')
    raw.subscribe('1', version)
    expect(await raw.closed).toMatchObject({ code: 4401 })
  })

  test('an id that is in use closes the socket', async () => {
    const raw = await RawSocket.open((await openDoors()).webSocketUrl)
    raw.subscribe('1', endless)
    raw.subscribe('1', endless)
    expect(await raw.closed).toMatchObject({ code: 4409 })
  })

  test('an id that is reused before its operation has ended is refused, and nothing of it is left behind', async () => {
    const app = new FakeApp()
    const model = Promise.withResolvers<ModelRecord | null>()
    app.model = () => model.promise
    const doors = await openDoors({}, app)
    const raw = await RawSocket.open(doors.webSocketUrl)
    const query = 'subscription { jobChanges(filter: { model: "teller" }) { to } }'
    for (let round = 0; round < 3; round++) {
      raw.subscribe('1', query)
      raw.say({ id: '1', type: 'complete' })
    }
    raw.subscribe('1', query)
    raw.subscribe('2', query)
    expect(await raw.next(({ type }) => type === 'error')).toMatchObject({
      id: '1',
      payload: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    })
    model.resolve(textModel)
    await until('both are set up', () => app.changeTopic.followedCount === 2)
    await until('the completed one is released', () => app.changeTopic.followerCount === 1)
    raw.subscribe('1', endless)
    await until('the id is free again', () => app.changeTopic.followerCount === 2)
    raw.socket.terminate()
    await until('nothing is left', () => app.changeTopic.followerCount === 0)
  })

  test('what is set up only after the socket has closed is released at once', async () => {
    const app = new FakeApp()
    const model = Promise.withResolvers<ModelRecord | null>()
    let isAsked = false
    app.model = () => {
      isAsked = true
      return model.promise
    }
    const doors = await openDoors({}, app)
    const raw = await RawSocket.open(doors.webSocketUrl)
    raw.subscribe('1', 'subscription { jobChanges(filter: { model: "teller" }) { to } }')
    await until('it is being set up', () => isAsked)
    raw.socket.terminate()
    await doors.close(1000)
    model.resolve(textModel)
    await until('it was set up', () => app.changeTopic.followedCount === 1)
    await until('it is released', () => app.changeTopic.followerCount === 0)
  })

  test.for([
    ['no JSON', 'hello', 4400],
    ['no message', '{"type":"nonsense"}', 4400],
    ['a query that is a number', '{"id":"1","type":"subscribe","payload":{"query":7}}', 4400],
  ] as const)('%s closes the socket', async ([, text, code]) => {
    const raw = await RawSocket.open((await openDoors()).webSocketUrl)
    raw.socket.send(text)
    expect(await raw.closed).toMatchObject({ code })
  })

  test('binary messages close the socket', async () => {
    const raw = await RawSocket.open((await openDoors()).webSocketUrl)
    raw.socket.send(Buffer.from('{"type":"ping"}'))
    expect(await raw.closed).toMatchObject({ code: 1003 })
  })

  test('pings are answered, those of the protocol and those of WebSocket', async () => {
    const raw = await RawSocket.open((await openDoors()).webSocketUrl)
    raw.say({ type: 'ping', payload: { n: 1 } })
    await raw.next(({ type }) => type === 'pong')
    raw.socket.ping('hi')
    const [data] = (await once(raw.socket, 'pong')) as [Buffer]
    expect(data.toString()).toBe('hi')
  })
})

describe('limits', () => {
  test('a frame larger than the limit closes the socket with 1009', async () => {
    const raw = await RawSocket.open((await openDoors({ HEARTH_MAX_BODY_BYTES: '2000' })).webSocketUrl)
    raw.subscribe('1', version.padEnd(3000))
    expect(await raw.closed).toMatchObject({ code: 1009 })
  })

  test('a bad operation is an error of its own; the others on the socket go on', async () => {
    const doors = await openDoors()
    const raw = await RawSocket.open(doors.webSocketUrl)
    raw.subscribe('good', endless)
    await until('the subscription runs', () => doors.app.changeTopic.followerCount === 1)
    raw.subscribe('bad', '{ nope }')
    expect(await raw.next(({ id }) => id === 'bad')).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    })
    await doors.app.submitJobs([{ model: 'teller', task: { generateText: { prompt: 'Once' } } }], 'single')
    expect(await raw.next(({ id }) => id === 'good')).toMatchObject({ type: 'next' })
  })

  test('one operation too many is refused, until another has ended', async () => {
    const doors = await openDoors({ HEARTH_MAX_SUBSCRIPTIONS_PER_SOCKET: '2' })
    const raw = await RawSocket.open(doors.webSocketUrl)
    raw.subscribe('1', endless)
    raw.subscribe('2', endless)
    raw.subscribe('3', version)
    expect(await raw.next(({ id }) => id === '3')).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'RATE_LIMITED' } }],
    })
    raw.say({ id: '1', type: 'complete' })
    await until('one has ended', () => doors.app.changeTopic.followerCount === 1)
    raw.subscribe('4', version)
    expect(await raw.next(({ id }) => id === '4')).toMatchObject({ type: 'next' })
  })

  test('operations that failed, or have ended, do not count', async () => {
    const raw = await RawSocket.open((await openDoors({ HEARTH_MAX_SUBSCRIPTIONS_PER_SOCKET: '1' })).webSocketUrl)
    for (let count = 0; count < 5; count++) {
      raw.subscribe(`bad ${count}`, '{ nope }')
      raw.subscribe(`unknown ${count}`, 'subscription { jobEvents(id: "garbage") { cursor } }')
      await raw.next(({ id, type }) => id === `unknown ${count}` && type === 'complete')
      raw.subscribe(`good ${count}`, version)
      expect(await raw.next(({ id }) => id === `good ${count}`)).toMatchObject({ type: 'next' })
      await raw.next(({ id, type }) => id === `good ${count}` && type === 'complete')
    }
  })

  test('a client that neither speaks nor listens is let go, one that answers pings is not', async () => {
    const doors = await openDoors({ HEARTH_KEEP_ALIVE_MS: '100' })
    const alive = await RawSocket.open(doors.webSocketUrl)
    const dead = await RawSocket.open(doors.webSocketUrl)
    dead.socket.pause()
    dead.subscribe('1', endless)
    await until('it has subscribed', () => doors.app.changeTopic.followerCount === 1)
    await until('the silent one is released', () => doors.app.changeTopic.followerCount === 0)
    expect(alive.socket.readyState).toBe(alive.socket.OPEN)
    dead.socket.terminate()
  })
})
