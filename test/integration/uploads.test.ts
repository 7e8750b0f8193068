/** PUT /uploads: what is taken, what is refused, and that a refusal leaves nothing. */
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { describe, expect, test, vi } from 'vitest'
import { openArtifactDoors, put, urlOf } from '../support/artifact-doors.ts'
import { sha256 } from '../support/artifacts.ts'
import { picture } from '../support/pictures.ts'

const raw = { 'content-type': 'application/octet-stream' }
const png = { 'content-type': 'image/png' }

describe('a file that is taken', () => {
  test('is answered with its id, which the API knows, and can be read as it was', async () => {
    const { doors, files } = await openArtifactDoors()
    const bytes = picture('jpegTurned')
    const { status, answer } = await put(doors, bytes, { 'content-type': 'image/jpeg' })
    expect(status).toBe(201)
    expect(answer).toEqual({
      id: expect.any(String),
      sha256: sha256(bytes),
      sizeBytes: bytes.length,
      mimeType: 'image/jpeg',
      width: 3,
      height: 5,
    })
    const query =
      'query ($id: ID!) { node(id: $id) { __typename ... on Artifact { mimeType sizeBytes sha256 width height job { id } createdAt urlExpiresAt } } }'
    const { data } = await doors.askOverHttp(query, { id: answer.id as string })
    expect(data?.['node']).toMatchObject({
      __typename: 'Artifact',
      sha256: sha256(bytes),
      width: 3,
      height: 5,
      job: null,
    })
    const read = await fetch(await urlOf(doors, answer.id as string))
    expect(read.status).toBe(200)
    expect(Buffer.from(await read.arrayBuffer())).toEqual(bytes)
    expect(await files()).toEqual([sha256(bytes)])
  })

  test('twice is one artifact; with another type it is another, of the same file', async () => {
    const { doors, files } = await openArtifactDoors()
    const first = await put(doors, 'a,b\n1,2\n', { 'content-type': 'text/csv' })
    const again = await put(doors, 'a,b\n1,2\n', { 'content-type': 'text/csv' })
    const other = await put(doors, 'a,b\n1,2\n', { 'content-type': 'text/plain' })
    expect(again.answer).toEqual(first.answer)
    expect(other.answer.id).not.toBe(first.answer.id)
    expect(await files()).toHaveLength(1)
  })

  test('may come without a type: then its content says what it is', async () => {
    const { doors } = await openArtifactDoors()
    const bytes = new Uint8Array(picture('webp'))
    const stream = (content: Uint8Array) => new Blob([content as Uint8Array<ArrayBuffer>]).stream()
    expect((await put(doors, stream(bytes))).answer).toMatchObject({ mimeType: 'image/webp', width: 5, height: 3 })
    expect((await put(doors, stream(Buffer.from('BM begins like a picture and is none')))).answer).toMatchObject({
      mimeType: 'application/octet-stream',
      width: null,
    })
  })

  test('may be empty, and keeps the parameters of its type', async () => {
    const { doors } = await openArtifactDoors()
    const type = 'Application/vnd.hearth.tensor; dtype=float32; shape=0x3'
    const { status, answer } = await put(doors, '', { 'content-type': type })
    expect([status, answer.mimeType, answer.sizeBytes]).toEqual([
      201,
      'application/vnd.hearth.tensor; dtype=float32; shape=0x3',
      0,
    ])
    expect(await (await fetch(await urlOf(doors, answer.id as string))).text()).toBe('')
  })

  test('is checked against the digest that comes with it', async () => {
    const { doors, files } = await openArtifactDoors()
    const right = sha256('exactly this')
    const base64 = Buffer.from(right, 'hex').toString('base64')
    expect((await put(doors, 'exactly this', { ...raw, 'x-content-sha256': right })).status).toBe(201)
    expect((await put(doors, 'exactly this', { ...raw, 'content-digest': `sha-256=:${base64}:` })).status).toBe(201)
    const { status, answer } = await put(doors, 'exactly that', { ...raw, 'x-content-sha256': right })
    expect(status).toBe(422)
    expect(answer.errors?.[0]?.message).toContain(sha256('exactly that'))
    expect((await put(doors, 'x', { ...raw, 'x-content-sha256': 'abc' })).status).toBe(400)
    await expect.poll(files).toEqual([right])
  })
})

describe('a file that is refused', () => {
  test.for<[string, Record<string, string>, string | Buffer, number, RegExp]>([
    ['of a type that is not listed', { 'content-type': 'text/html' }, '<html>', 415, /text\/html.*image\/png/],
    ['in a form', { 'content-type': 'multipart/form-data; boundary=x' }, '--x', 415, /Send the file itself/],
    ['compressed', { ...raw, 'content-encoding': 'gzip' }, 'x', 415, /uncompressed/],
    ['as a part', { ...raw, 'content-range': 'bytes 0-0/2' }, 'x', 400, /whole file/],
    ['of another kind than it says', png, picture('jpeg'), 415, /image\/png, but the file is image\/jpeg/],
    ['a text that says it is a picture', png, 'hello, I am a picture', 415, /no picture/],
    ['zeros that say they are text', { 'content-type': 'text/plain' }, 'a\0b', 415, /no text/],
    ['no npy', { 'content-type': 'application/x-npy' }, 'NUMPY', 415, /NUMPY/],
    [
      'a picture that ends in its header',
      png,
      picture('png').subarray(0, 20),
      422,
      /no whole image\/png. The picture ends/,
    ],
    ['a picture that would be enormous', png, bomb(), 422, /60000 x 60000 pixels, of at most 64000000/],
  ])('%s', async ([, headers, body, status, words]) => {
    const { doors, files } = await openArtifactDoors()
    const refused = await put(doors, body, headers)
    expect(refused.status).toBe(status)
    expect(refused.answer.errors?.[0]?.message).toMatch(words)
    await expect.poll(files).toEqual([])
  })

  test('is refused by its length before its body is read, else as soon as it is too large', async () => {
    const { doors, files } = await openArtifactDoors({ HEARTH_MAX_UPLOAD_BYTES: '1000' })
    const said = await put(doors, Buffer.alloc(1001), raw)
    expect([said.status, said.answer.errors?.[0]?.message]).toEqual([
      413,
      expect.stringContaining('larger than 1000 bytes'),
    ])
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(500)) })
    expect((await put(doors, endless, raw)).status).toBe(413)
    expect((await put(doors, Buffer.alloc(1000), raw)).status).toBe(201)
    expect(await files()).toHaveLength(1)
  })

  test('a sender that waits for leave gets the refusal instead', async () => {
    const { doors, app, files } = await openArtifactDoors({
      HEARTH_MAX_UPLOAD_BYTES: '1000',
      HEARTH_MAX_UPLOADS: '1',
      HEARTH_DISK_RESERVE_BYTES: '500',
    })
    const askLeave = async (sizeBytes: number) => {
      const headers = { ...raw, 'content-length': sizeBytes, expect: '100-continue' }
      const sending = request(doors.at('/uploads'), { method: 'PUT', headers })
      sending.on('continue', () => sending.end('x'.repeat(sizeBytes)))
      sending.flushHeaders()
      const response = await answered(sending)
      const isLeaveGiven = sending.writableEnded
      sending.on('error', () => {}).destroy()
      return [response.statusCode, isLeaveGiven]
    }
    expect(await askLeave(5000)).toEqual([413, false])
    app.context.artifacts.noteFreeBytes(600)
    expect(await askLeave(101)).toEqual([507, false])
    expect(await askLeave(100)).toEqual([201, true])
    app.context.artifacts.noteFreeBytes(5000)
    const slow = request(doors.at('/uploads'), { method: 'PUT', headers: { ...raw, 'transfer-encoding': 'chunked' } })
    slow.write('takes the only place')
    await expect.poll(files).toHaveLength(2)
    expect(await askLeave(2)).toEqual([503, false])
    slow.end()
    ;(await answered(slow)).resume()
    expect(await askLeave(3)).toEqual([201, true])
  })

  test('one that does not say how large it is stops at the reserve of the disk, and so do many at once', async () => {
    const { doors, app, files } = await openArtifactDoors({ HEARTH_DISK_RESERVE_BYTES: '1000' })
    app.context.artifacts.noteFreeBytes(61_000)
    const { status, answer } = await put(doors, new Blob([Buffer.alloc(200_000)]).stream(), raw)
    expect([status, answer.errors?.[0]?.message]).toEqual([507, expect.stringContaining('HEARTH_DISK_RESERVE_BYTES')])
    await expect.poll(files).toEqual([])
    app.context.artifacts.noteFreeBytes(61_000)
    const statuses = await Promise.all(
      [1, 2, 3].map((content) => put(doors, Buffer.alloc(25_000, content), raw).then((taken) => taken.status)),
    )
    expect(statuses).toContain(507)
  })

  test('of a type that is a novel', async () => {
    const { doors } = await openArtifactDoors()
    for (const type of [`text/plain; x=${'a'.repeat(5000)}`, `text/${'a'.repeat(5000)}`]) {
      const refused = await put(doors, 'x', { 'content-type': type })
      expect([refused.status, refused.answer.errors?.[0]?.message]).toEqual([415, expect.stringMatching(/^.{1,300}$/)])
    }
  })

  test('while nothing can be written to the database, before it is sent', async () => {
    const { doors, app } = await openArtifactDoors()
    const { store } = app.context
    const metrics = vi.spyOn(store, 'metrics', 'get').mockReturnValue({ ...store.metrics, trouble: 'disk full' })
    expect((await put(doors, 'x', raw)).status).toBe(507)
    metrics.mockRestore()
    expect((await put(doors, 'x', raw)).status).toBe(201)
  })

  test('one upload too many is asked to come back', async () => {
    const { doors, files } = await openArtifactDoors({ HEARTH_MAX_UPLOADS: '1' })
    const slow = request(doors.at('/uploads'), { method: 'PUT', headers: { ...raw, 'transfer-encoding': 'chunked' } })
    slow.write('the first part')
    await expect.poll(files).toHaveLength(1)
    const refused = await put(doors, 'x', raw)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    slow.end(' and the last')
    const response = await answered(slow)
    expect(response.statusCode).toBe(201)
    response.resume()
    expect((await put(doors, 'x', raw)).status).toBe(201)
  })

  test('other methods are told to use PUT', async () => {
    const { doors } = await openArtifactDoors()
    const response = await fetch(doors.at('/uploads'), { method: 'POST', body: 'x' })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'PUT'])
  })
})

describe('a sender that fails', () => {
  test('and goes away in the middle leaves nothing', async () => {
    const { doors, files } = await openArtifactDoors()
    const sending = request(doors.at('/uploads'), { method: 'PUT', headers: { ...raw, 'content-length': 1_000_000 } })
    sending.on('error', () => {})
    sending.write(Buffer.alloc(100_000))
    await expect.poll(files).toHaveLength(1)
    sending.destroy()
    await expect.poll(files).toEqual([])
    expect((await put(doors, 'x', raw)).status).toBe(201)
    expect(doors.log).toEqual([])
  })

  test('or only trickles is told so, and leaves nothing', async () => {
    const { doors, files } = await openArtifactDoors({ HEARTH_STALLED_CLIENT_MS: '150' })
    const sending = request(doors.at('/uploads'), { method: 'PUT', headers: { ...raw, 'content-length': 1_000_000 } })
    sending.on('error', () => {})
    const trickle = setInterval(() => sending.write('x'), 20)
    try {
      const response = await answered(sending)
      expect(response.statusCode).toBe(408)
      response.resume()
    } finally {
      clearInterval(trickle)
      sending.destroy()
    }
    await expect.poll(files).toEqual([])
  })
})

test('pages of allowed origins may upload, others may not', async () => {
  const { doors } = await openArtifactDoors()
  const ask = (origin: string) =>
    fetch(doors.at('/uploads'), {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'content-type' },
    })
  const allowed = await ask('http://localhost:5173')
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, 'http://localhost:5173'])
  expect(allowed.headers.get('access-control-allow-methods')).toContain('PUT')
  expect((await ask('https://elsewhere.example')).status).toBe(403)
})

async function answered(sending: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(sending, 'response')) as [IncomingMessage]
  return response
}

/** A few bytes that claim 3,600 million pixels. */
function bomb(): Buffer {
  const bytes = picture('png')
  bytes.writeUInt32BE(60_000, 16)
  bytes.writeUInt32BE(60_000, 20)
  return bytes
}
