/** The HTTP door: what it takes, whom it lets in, and what it answers. */

import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type OpenDoors, openDoors } from '../support/open-doors.ts'

const version = { query: '{ server { version } }' }
const answer = { data: { server: { version: '0.1.0' } } }

/** fetch sets Host and Origin itself; this sends what it is told. */
function knock(
  doors: OpenDoors,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const sending = request(
      doors.at(path),
      { method: options.method ?? 'GET', headers: options.headers ?? {} },
      (response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => (body += chunk.toString()))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      },
    )
    sending.on('error', reject)
    sending.end(options.body)
  })
}

describe('bodies', () => {
  test.for([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/graphql', 415],
    ['application/json; charset=latin1', 415],
    ['application/json; charset=utf-8', 200],
    ['Application/JSON;charset="UTF-8"', 200],
  ] as const)('%s gives %d', async ([contentType, status]) => {
    expect((await (await openDoors()).post(version, { 'content-type': contentType })).status).toBe(status)
  })

  test('a body without a content type, or compressed, is not taken', async () => {
    const doors = await openDoors()
    const body = JSON.stringify(version)
    expect((await knock(doors, '/graphql', { method: 'POST', body })).status).toBe(415)
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    expect((await knock(doors, '/graphql', { method: 'POST', body, headers })).status).toBe(415)
  })

  test.for([
    ['nothing', ''],
    ['no JSON', '{"query":'],
    ['a batch', '[{"query":"{ server { version } }"}]'],
    ['null', 'null'],
    ['a query that is a number', '{"query":7}'],
    ['no query', '{}'],
    ['variables that are a list', '{"query":"{ server { version } }","variables":[]}'],
    ['an operation name that is a number', '{"query":"{ server { version } }","operationName":7}'],
    ['extensions that are a string', '{"query":"{ server { version } }","extensions":"x"}'],
  ])('%s is refused with 400 and a sentence', async ([, body]) => {
    const response = await (await openDoors()).post(body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ errors: [{ message: expect.stringContaining('must be') as string }] })
  })

  test('broken UTF-8 is refused, not repaired', async () => {
    const doors = await openDoors()
    const response = await fetch(doors.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.concat([
        Buffer.from('{"query":"{ server { version } } #'),
        Buffer.of(0xc3, 0x28),
        Buffer.from('"}'),
      ]),
    })
    expect(response.status).toBe(400)
  })

  test('a body up to the limit is taken, a larger one is not, whether it says its size or not', async () => {
    const doors = await openDoors({ HEARTH_MAX_BODY_BYTES: '2000' })
    const ofSize = (bytes: number) => JSON.stringify(version).padEnd(bytes)
    expect((await doors.post(ofSize(2000))).status).toBe(200)
    expect((await doors.post(ofSize(2001))).status).toBe(413)
    const chunked = await fetch(doors.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([ofSize(5000)]).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(chunked.status).toBe(413)
    expect(await chunked.json()).toMatchObject({ errors: [{ message: 'The body is larger than 2000 bytes.' }] })
  })

  test('a client that leaves in the middle of its body harms nobody', async () => {
    const doors = await openDoors()
    const socket = connect(Number(new URL(doors.url).port), '127.0.0.1')
    socket.write(
      'POST /graphql HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"que',
    )
    await new Promise((resolve) => socket.once('ready', resolve))
    socket.destroy()
    expect(await (await doors.post(version)).json()).toEqual(answer)
    expect(doors.log).toEqual([])
  })
})

describe('answers', () => {
  test.for([
    ['application/json', 200, 200],
    ['*/*', 200, 200],
    ['application/graphql-response+json', 200, 400],
    ['application/graphql-response+json; charset=utf-8, application/json; q=0.5', 200, 400],
  ] as const)('%s: %d when it worked, %d when the document is wrong', async ([accept, worked, wrong]) => {
    const doors = await openDoors()
    const good = await doors.post(version, { accept })
    expect(good.status).toBe(worked)
    expect(good.headers.get('content-type')).toMatch(
      accept.includes('graphql-response') ? /^application\/graphql-response\+json/ : /^application\/json/,
    )
    expect(await good.json()).toEqual(answer)
    expect((await doors.post({ query: '{ nope }' }, { accept })).status).toBe(wrong)
    expect(
      (await doors.post({ query: 'query($n: Int!) { queue { next(first: $n) { id } } }' }, { accept })).status,
    ).toBe(wrong)
  })

  test('what the client cannot read is not sent', async () => {
    const doors = await openDoors()
    expect((await doors.post(version, { accept: 'text/html' })).status).toBe(406)
    expect(
      (await doors.post({ query: 'subscription { jobChanges { to } }' }, { accept: 'application/json' })).status,
    ).toBe(406)
  })

  test('GET answers queries, and never changes anything', async () => {
    const doors = await openDoors()
    const get = (query: string) => fetch(`${doors.url}?${new URLSearchParams({ query }).toString()}`)
    expect(await (await get('{ server { version } }')).json()).toEqual(answer)
    expect((await get('{ nope }')).status).toBe(200)
    for (const variables of ['{broken', '[]', '7']) {
      expect(
        (await fetch(`${doors.url}?${new URLSearchParams({ query: '{ server { version } }', variables }).toString()}`))
          .status,
      ).toBe(400)
    }
    expect((await get('mutation { openSession(input: {}) { __typename } }')).status).toBe(405)
    expect(doors.app.allSessions).toEqual([])
    const deep = await (await get(`{ ${'jobs { nodes { model { '.repeat(6)} id ${'} } } '.repeat(6)} }`)).text()
    expect(deep).toMatch(/levels deep.*BAD_USER_INPUT/)
  })

  test('other paths and methods are told so in JSON', async () => {
    const doors = await openDoors()
    const elsewhere = await fetch(doors.at('/elsewhere?x=1'))
    expect(elsewhere.status).toBe(404)
    expect(await elsewhere.json()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] })
    const put = await fetch(doors.url, { method: 'PUT' })
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST'])
  })
})

describe('who comes in', () => {
  test('another Host is refused on every path', async () => {
    const doors = await openDoors()
    for (const path of ['/graphql', '/healthz', '/readyz', '/elsewhere']) {
      expect((await knock(doors, path, { headers: { host: 'evil.example' } })).status).toBe(403)
    }
  })

  test('a listed Host and a listed Origin are let in', async () => {
    const doors = await openDoors({
      HEARTH_ALLOWED_HOSTS: 'hearth.example',
      HEARTH_ALLOWED_ORIGINS: 'https://studio.example',
    })
    const headers = { host: 'hearth.example', origin: 'https://studio.example', 'content-type': 'application/json' }
    const { status, headers: answered } = await knock(doors, '/graphql', {
      method: 'POST',
      headers,
      body: JSON.stringify(version),
    })
    expect(status).toBe(200)
    expect(answered).toMatchObject({ 'access-control-allow-origin': 'https://studio.example', vary: 'Origin' })
  })

  test('a page of another site gets nothing, not even by a request that its browser would not ask about', async () => {
    const doors = await openDoors()
    const body = JSON.stringify({ query: 'mutation { openSession(input: {}) { __typename } }' })
    for (const headers of [
      { origin: 'https://evil.example', 'content-type': 'application/json' },
      { origin: 'https://evil.example', 'content-type': 'text/plain' },
      { 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' },
    ]) {
      const { status, headers: answered } = await knock(doors, '/graphql', { method: 'POST', headers, body })
      expect(status).toBe(403)
      expect(answered).not.toHaveProperty('access-control-allow-origin')
    }
    expect(doors.app.allSessions).toEqual([])
  })

  test('browsers may ask before they send', async () => {
    const doors = await openDoors()
    const ask = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' }
    const allowed = await knock(doors, '/graphql', {
      method: 'OPTIONS',
      headers: { ...ask, origin: 'http://localhost:5173' },
    })
    expect(allowed.status).toBe(204)
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'http://localhost:5173',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT',
      'access-control-allow-headers': expect.stringMatching(/^content-type, accept, authorization, /) as string,
    })
    expect(
      (await knock(doors, '/graphql', { method: 'OPTIONS', headers: { ...ask, origin: 'https://evil.example' } }))
        .status,
    ).toBe(403)
  })

  test('an address that other machines can reach is refused before it is opened', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.5', 'hearth.example']) {
      await expect(openDoors({ HEARTH_HOST: host })).rejects.toThrow(/could be reached from other machines/)
    }
  })
})

describe('health', () => {
  test('names silent workers, and stays up for them', async () => {
    const doors = await openDoors()
    expect(await (await fetch(doors.at('/healthz'))).json()).toEqual({ status: 'ok', silentWorkers: [] })
    doors.app.silent = ['llama_cpp on cpu']
    const response = await fetch(doors.at('/healthz'))
    expect([response.status, await response.json()]).toEqual([
      200,
      { status: 'degraded', silentWorkers: ['llama_cpp on cpu'] },
    ])
  })

  test('is ready only while submissions are accepted', async () => {
    const doors = await openDoors()
    expect((await fetch(doors.at('/readyz'))).status).toBe(200)
    doors.app.isReady = false
    expect((await fetch(doors.at('/readyz'))).status).toBe(503)
  })
})

describe('GraphiQL', () => {
  const browser = { accept: 'text/html,application/xhtml+xml' }

  test('is shown to a browser, with a policy of its own, and only once', async () => {
    const doors = await openDoors()
    const page = await fetch(doors.url, { headers: browser })
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-encoding')).toBe('gzip')
    expect(page.headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*connect-src 'self' ws:\/\/127\.0\.0\.1:\d+;/,
    )
    expect(await page.text()).toContain('openTabs(')
    const again = await fetch(doors.url, { headers: { ...browser, 'if-none-match': page.headers.get('etag')! } })
    expect(again.status).toBe(304)
  })

  test('can be read without compression', async () => {
    const { headers, body } = await knock(await openDoors(), '/graphql', { headers: browser })
    expect(headers).not.toHaveProperty('content-encoding')
    expect(body).toContain('openTabs(')
  })

  test('can be switched off', async () => {
    const response = await fetch((await openDoors({ HEARTH_GRAPHIQL: 'off' })).url, { headers: browser })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ errors: [{ message: '"query" must be a string.' }] })
  })
})
