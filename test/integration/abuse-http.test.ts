/** What no client would do to the HTTP door: requests that never end, come a thousand at once, contradict themselves, or ask for the absurd. */
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Answer, askings, type OpenDoors, openDoors } from '../support/open-doors.ts'
import { frame, opcode, RawConnection, RawWebSocket } from '../support/raw-connection.ts'
import { until } from '../support/until.ts'

const version = { query: '{ server { version } }' }
const answer = { data: { server: { version: '0.1.0' } } }

function post(body: string, headers = `content-length: ${Buffer.byteLength(body)}`): string {
  return `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}`
}

async function stillServes(doors: OpenDoors): Promise<void> {
  expect(await (await doors.post(version)).json()).toEqual(answer)
}

describe('requests that take their time', () => {
  test('headers that never end are not waited for', async () => {
    const doors = await openDoors({ HEARTH_HEADERS_TIMEOUT_MS: '300' })
    const silent = await RawConnection.open(doors.url)
    const slow = await RawConnection.open(doors.url)
    slow.write('POST /graphql HTTP/1.1\r\nhost: localhost\r\n')
    const dripping = setInterval(() => slow.write('x-drip: 1\r\n'), 20)
    await Promise.all([silent.ended, slow.ended])
    clearInterval(dripping)
    await stillServes(doors)
  })

  test.for([
    ['refused at the gate', 'PUT /uploads', 'host: elsewhere.example'],
    ['an upload that is refused', 'PUT /uploads', 'host: localhost\r\ncontent-type: text/html'],
    ['an upload that fails', 'PUT /uploads', 'host: localhost'],
    [
      'asked beforehand',
      'OPTIONS /graphql',
      'host: localhost\r\norigin: http://localhost\r\naccess-control-request-method: POST',
    ],
    ['where no body belongs', 'GET /artifacts/1?expires=1&signature=x', 'host: localhost'],
  ])('the rest of a body that nobody reads does not come for ever: %s', async ([, line, headers]) => {
    const doors = await openDoors({ HEARTH_STALLED_CLIENT_MS: '200' })
    const raw = await RawConnection.open(doors.url)
    raw.write(`${line} HTTP/1.1\r\n${headers}\r\ntransfer-encoding: chunked\r\n\r\n`)
    const dripping = setInterval(() => raw.write('1\r\nx\r\n'), 10)
    onTestFinished(() => clearInterval(dripping))
    await raw.ended
    expect(raw.received.toString()).toMatch(/^HTTP\/1.1 [2345]/)
    await stillServes(doors)
  })

  test('two hundred connections that say nothing keep nobody out', async () => {
    const doors = await openDoors({ HEARTH_HEADERS_TIMEOUT_MS: '500' })
    const silent = await Promise.all(Array.from({ length: 200 }, () => RawConnection.open(doors.url)))
    await stillServes(doors)
    await Promise.all(silent.map(({ ended }) => ended))
  })
})

describe('connections', () => {
  test('those above the limit are dropped, and let in when there is room', async () => {
    const doors = await openDoors({ HEARTH_MAX_CONNECTIONS: '20' })
    const held: RawConnection[] = []
    for (let count = 0; count < 20; count++) {
      const raw = await RawConnection.open(doors.url)
      raw.write(post(JSON.stringify(version)))
      expect(await raw.answer()).toMatchObject({ status: 200 })
      held.push(raw)
    }
    const flood = await Promise.all(Array.from({ length: 100 }, () => RawConnection.open(doors.url)))
    await Promise.all(flood.map(({ ended }) => ended))
    expect(flood.every(({ received }) => received.length === 0)).toBe(true)
    held[0]?.write(post(JSON.stringify(version)))
    expect(await held[0]?.answer()).toMatchObject({ status: 200 })
    held[1]?.socket.destroy()
    await until('there is room', async () => {
      const raw = await RawConnection.open(doors.url)
      raw.write(post(JSON.stringify(version)))
      return (await raw.answer())?.status === 200
    })
  })

  test('requests in a row without waiting are answered in that order', async () => {
    const doors = await openDoors()
    const raw = await RawConnection.open(doors.url)
    const count = 300
    const queries = Array.from({ length: count }, (_, index) =>
      JSON.stringify({ query: `{ server { a${index}: version } }` }),
    )
    raw.write(queries.map((query) => post(query)).join(''))
    for (let index = 0; index < count; index++) {
      const { status, body = '' } = (await raw.answer()) ?? {}
      expect([status, body]).toEqual([200, JSON.stringify({ data: { server: { [`a${index}`]: '0.1.0' } } })])
    }
  })

  /** The requests are 75 MB, the answers ten times as much. */
  const requests = 5000

  test('who asks on and on and reads nothing is not answered on and on', async () => {
    const doors = await openDoors()
    const raw = await RawConnection.open(doors.url)
    raw.socket.pause()
    // Long enough that what the kernel holds is little of it.
    const query = '{ __schema { types { name description fields { name description } } } }'.padEnd(15_000)
    const one = post(JSON.stringify({ query }))
    const many = one.repeat(20)
    let asked = 0
    let last = -1
    let idlePolls = 0
    await until('nothing more is taken', () => {
      while (raw.socket.writableLength < 1024 * 1024 && asked < requests) {
        raw.write(many)
        asked += 20
      }
      const taken = raw.socket.bytesWritten - raw.socket.writableLength
      idlePolls = taken === last ? idlePolls + 1 : 0
      last = taken
      return idlePolls >= 15
    })
    expect(last / one.length).toBeLessThan(requests / 2)
    await stillServes(doors)
  })
})

describe('requests that contradict themselves', () => {
  const body = JSON.stringify(version)

  test.for([
    ['two lengths', post(body, 'content-length: 5\r\ncontent-length: 6')],
    ['a length and chunks', post(body, 'content-length: 5\r\ntransfer-encoding: chunked')],
    ['a negative length', post(body, 'content-length: -1')],
    ['a length that is none', post(body, 'content-length: 0x10')],
    ['chunks without a size', post('zz\r\nabc\r\n', 'transfer-encoding: chunked')],
    ['a chunk size beyond all numbers', post('fffffffffffffffff\r\n', 'transfer-encoding: chunked')],
    ['a line break in a header', post(body, 'x: a\nb\r\ncontent-length: 1')],
    ['a name with a blank', post(body, 'content length: 5')],
    ['no host', 'GET /graphql HTTP/1.1\r\n\r\n'],
    ['no HTTP', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001'],
  ] as const)('%s: 400, and the connection ends', async ([, request]) => {
    const doors = await openDoors()
    const raw = await RawConnection.open(doors.url)
    raw.write(request)
    const { status = 0 } = (await raw.answer()) ?? {}
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
    await raw.ended
    expect(doors.app.submitted).toEqual([])
    await stillServes(doors)
  })

  test('headers without end are refused with 431', async () => {
    const doors = await openDoors()
    const raw = await RawConnection.open(doors.url)
    raw.write(`GET /graphql HTTP/1.1\r\nhost: localhost\r\n${'x-fill: abcdefghijklmnop\r\n'.repeat(2000)}`)
    expect(await raw.answer()).toMatchObject({ status: 431 })
    await stillServes(doors)
  })
})

const deep = (depth: number, open: string, close: string, middle = '') =>
  open.repeat(depth) + middle + close.repeat(depth)
const submit = 'mutation($input: SubmitJobInput!) { submitJob(input: $input) { __typename } }'

describe.for(askings)('absurd operations over %s', ([, ask]) => {
  test.for([
    ['brackets in brackets', deep(100_000, '{', '}')],
    ['lists in lists', `{ jobs(first: ${deep(100_000, '[', ']')}) { totalCount } }`],
    ['objects in objects', `{ jobs(filter: ${deep(50_000, '{a:', '}', '1')}) { totalCount } }`],
    ['types in types', `query($a: ${deep(50_000, '[', ']', 'Int')}) { server { version } }`],
    ['fields in fields', `{ ${deep(300, 'jobs { nodes { model { ', '} } } ')} }`],
    [
      'four thousand names for one field',
      `{ ${Array.from({ length: 4000 }, (_, i) => `a${i}: queue { next { id } }`).join(' ')} }`,
    ],
    ['fragments in a circle', '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }'],
    ['a fragment of itself', '{ ...A } fragment A on Query { ...A ...A ...A }'],
    [
      'fragments that double, twenty times',
      `{ ...F0 } ${Array.from({ length: 20 }, (_, i) => `fragment F${i} on Query { a${i}: jobs { totalCount } ${i < 19 ? `...F${i + 1} ...F${i + 1}` : ''} }`).join(' ')} { again: server { version } }`,
    ],
    ['five hundred directives', `{ server { version ${'@skip(if: false) '.repeat(500)} } }`],
    ['a number of a million digits', `{ jobs(first: ${'9'.repeat(1_000_000)}) { totalCount } }`],
    ['a name of a million letters', `{ ${'a'.repeat(1_000_000)} }`],
    ['a million of nothing', ','.repeat(1_000_000)],
    ['a text that is never closed', `{ job(id: "${'\\u0041'.repeat(10_000)}`],
    ['a cursor that is garbage', `{ jobs(after: "${'\\u0000/../%'.repeat(100)}") { totalCount } }`],
    ['an id that is garbage', '{ job(id: "Sm9iOi05OTk5OTk5OTk5OTk5OTk5OTk5OQ==") { id } }'],
  ] as const)('%s', async ([, query]) => {
    const doors = await openDoors()
    const { errors, data } = await ask(doors, query)
    if (errors) expect(errors[0]?.extensions?.['code']).toMatch(/^(BAD_USER_INPUT|NOT_FOUND)$/)
    else expect(data).toEqual({ job: null })
    expect(JSON.stringify(errors ?? '').length).toBeLessThan(100_000)
    expect(doors.log).toEqual([])
  })
})

/** What is nested too deeply for this test's own JSON.stringify is written as text. */
const inProgram = (parameters: string) =>
  `{"input":{"model":"teller","task":{"program":{"name":"x","parameters":${parameters}}}}}`
const rawAskings = [
  ['HTTP', async (doors: OpenDoors, payload: string) => (await (await doors.post(payload)).json()) as Answer],
  [
    'WebSocket',
    async (doors: OpenDoors, payload: string) => {
      const raw = await RawWebSocket.initialised(doors.webSocketUrl)
      raw.connection.write(frame(opcode.text, Buffer.from(`{"id":"1","type":"subscribe","payload":${payload}}`)))
      const { payload: answered, type } = JSON.parse((await raw.next())?.payload.toString() ?? '{}') as {
        payload: unknown
        type: string
      }
      return (type === 'error' ? { errors: answered } : answered) as Answer
    },
  ],
] as const

describe.for(rawAskings)('absurd variables over %s', ([, ask]) => {
  test.for([
    ['a list of a hundred thousand', inProgram(JSON.stringify(Array.from({ length: 100_000 }, (_, i) => i)))],
    ['lists ten thousand deep', inProgram(deep(10_000, '[', ']'))],
    ['lists a million deep', inProgram(deep(1_000_000, '[', ']'))],
    ['objects ten thousand deep', inProgram(deep(10_000, '{"a":', '}', '1'))],
    [
      'keys that mean something to JavaScript',
      inProgram('{"__proto__":{"isAdmin":true},"constructor":{"prototype":1}}'),
    ],
    ['an input that is a list, deep', `{"input":${deep(10_000, '[', ']')}}`],
    ['an input with __proto__', '{"input":{"__proto__":{"model":"teller"}}}'],
    ['unknown variables by the thousand', `{${Array.from({ length: 10_000 }, (_, i) => `"v${i}":${i}`).join()}}`],
    ['variables named __proto__', '{"__proto__":{"input":{"model":"teller"}}}'],
    ['numbers beyond all numbers', inProgram('[1e999,-1e999,123456789012345678901234567890]')],
  ] as const)('%s', async ([, variables]) => {
    const doors = await openDoors()
    const { data, errors } = await ask(doors, `{"query":${JSON.stringify(submit)},"variables":${variables}}`)
    if (errors) expect(errors[0]).toMatchObject({ message: expect.any(String) as string })
    if (errors) expect(errors[0]?.extensions?.['code']).toBe('BAD_USER_INPUT')
    else
      expect(data).toMatchObject({
        submitJob: { __typename: expect.stringMatching(/^(SubmitJobSuccess|InvalidInputError)$/) as string },
      })
    expect(JSON.stringify(errors ?? '').length).toBeLessThan(100_000)
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
    expect(doors.log).toEqual([])
    await stillServes(doors)
  })
})
