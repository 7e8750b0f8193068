/** Nearly right bytes at both doors, by the hundred: nobody else notices, nothing is left behind, nothing is logged as a fault of ours. */
import { expect, test } from 'vitest'
import { makeInput } from '../fuzz/mutate.ts'
import { Random } from '../fuzz/random.ts'
import { type OpenDoors, openDoors } from '../support/open-doors.ts'
import { frame, opcode, RawConnection, RawWebSocket } from '../support/raw-connection.ts'
import { until } from '../support/until.ts'

const inputs = 400
const seed = 1
const atOnce = 20

const endless = 'subscription { jobChanges { to } }'
const text = (value: unknown, isLast = true) => frame(opcode.text, Buffer.from(JSON.stringify(value)), { isLast })
const conversation = Buffer.concat([
  text({ type: 'connection_init' }),
  text({ type: 'subscribe', id: '1', payload: { query: endless } }),
  frame(opcode.ping, Buffer.from('x')),
  text({ type: 'subscribe', id: '2', payload: { query: '{ server { version } }', variables: { a: [1] } } }),
  text({ type: 'complete', id: '1' }),
  text({ type: 'ping', payload: {} }),
])
const body = '{"query":"{ server { version } }"}'
const requests = [
  `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  'GET /graphql?query=%7B+server+%7B+version+%7D+%7D HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n',
  'GET /artifacts/1/x.png?expires=1&signature=A HTTP/1.1\r\nhost: localhost\r\nrange: bytes=0-4\r\nif-range: "a"\r\n\r\n',
  'PUT /uploads HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/png\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n\u0089PNG',
  'OPTIONS /uploads HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost\r\naccess-control-request-method: PUT\r\n\r\n',
  'GET /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n',
]

test.for([
  [
    'WebSocket',
    [conversation],
    ['"type"', '"id":"1"', 'complete', 'subscribe', '\u0081\u0080'],
    (url: string) => RawWebSocket.open(url),
  ],
  [
    'HTTP',
    requests.map((request) => Buffer.from(request, 'latin1')),
    [
      '\r\n',
      '\r\n\r\n',
      'content-length: 5\r\n',
      'transfer-encoding: chunked\r\n',
      'HTTP/1.0',
      '\u0000',
      'connection: close\r\n',
    ],
    (url: string) => RawConnection.open(url),
  ],
] as const)('over %s', async ([name, seeds, words, open]) => {
  const doors = await openDoors({ HEARTH_HEADERS_TIMEOUT_MS: '1000' })
  const random = new Random(seed)
  const target = { name, seeds, words, read: () => {} }
  for (let done = 0; done < inputs; done += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, () => throwAt(doors, makeInput(target, random), open)))
  }
  expect(await doors.askOverHttp('{ server { version } }')).toEqual({ data: { server: { version: '0.1.0' } } })
  await until('nothing is left', () => doors.app.changeTopic.followerCount === 0)
  expect(doors.log).toEqual([])
})

/** Says it, says no more, and waits for the end. */
async function throwAt(
  doors: OpenDoors,
  bytes: Buffer,
  open: (url: string) => Promise<RawConnection | RawWebSocket>,
): Promise<void> {
  const opened = await open(doors.url)
  const raw = opened instanceof RawWebSocket ? opened.connection : opened
  raw.write(bytes)
  raw.socket.end()
  await raw.ended
}
