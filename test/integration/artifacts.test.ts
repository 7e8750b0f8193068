/** GET and HEAD /artifacts/...: signed addresses, conditions and ranges; and what the store keeps of artifacts. */
import { readdirSync, readlinkSync } from 'node:fs'
import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { type ArtifactDoors, openArtifactDoors, put, urlOf } from '../support/artifact-doors.ts'
import { sha256 } from '../support/artifacts.ts'

const content = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251))
const type = { 'content-type': 'application/octet-stream' }

async function withFile(
  environment: Readonly<Record<string, string>> = {},
): Promise<ArtifactDoors & { url: string; id: string }> {
  const open = await openArtifactDoors(environment)
  const { answer } = await put(open.doors, content, type)
  const id = answer.id as string
  return { ...open, id, url: await urlOf(open.doors, id) }
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer())
}

describe('reading', () => {
  test('gives the file, with everything that keeps a browser from running it', async () => {
    const { url } = await withFile()
    const response = await fetch(url)
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '1000',
      'content-disposition': expect.stringMatching(/^inline; filename="artifact-\d+\.bin"$/),
      'accept-ranges': 'bytes',
      etag: `"${sha256(content)}"`,
      'cache-control': 'private, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    })
    expect(await bytesOf(response)).toEqual(content)
  })

  test('HEAD says the same and sends nothing', async () => {
    const { url } = await withFile()
    const response = await fetch(url, { method: 'HEAD', headers: { range: 'bytes=0-4' } })
    expect([response.status, response.headers.get('content-length')]).toEqual([200, '1000'])
    expect(await bytesOf(response)).toHaveLength(0)
  })

  test('other methods are told which there are', async () => {
    const { url } = await withFile()
    const response = await fetch(url, { method: 'DELETE' })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})

describe('ranges', () => {
  test.for<[string, number, number, string]>([
    ['bytes=0-9', 0, 10, 'bytes 0-9/1000'],
    ['bytes=990-', 990, 1000, 'bytes 990-999/1000'],
    ['bytes=-5', 995, 1000, 'bytes 995-999/1000'],
    ['bytes=-5000', 0, 1000, 'bytes 0-999/1000'],
    ['bytes=999-99999', 999, 1000, 'bytes 999-999/1000'],
  ])('%s', async ([range, from, to, contentRange]) => {
    const { url } = await withFile()
    const response = await fetch(url, { headers: { range } })
    expect([response.status, response.headers.get('content-range')]).toEqual([206, contentRange])
    expect(response.headers.get('content-length')).toBe(String(to - from))
    expect(await bytesOf(response)).toEqual(content.subarray(from, to))
  })

  test('what lies beyond the end cannot be given', async () => {
    const { url } = await withFile()
    const response = await fetch(url, { headers: { range: 'bytes=1000-' } })
    expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */1000'])
  })

  test('several at once, and what is no range, give the whole', async () => {
    const { url } = await withFile()
    for (const range of ['bytes=0-1,4-5', 'lines=1-2', 'bytes=9-2']) {
      const response = await fetch(url, { headers: { range } })
      expect(response.status).toBe(200)
      expect(await bytesOf(response)).toHaveLength(1000)
    }
  })

  test('a range of another content is not mixed with this one', async () => {
    const { url } = await withFile()
    const range = 'bytes=0-9'
    const same = await fetch(url, { headers: { range, 'if-range': `"${sha256(content)}"` } })
    expect(same.status).toBe(206)
    const other = await fetch(url, { headers: { range, 'if-range': '"other"' } })
    expect(other.status).toBe(200)
    await Promise.all([same.arrayBuffer(), other.arrayBuffer()])
  })
})

describe('conditions', () => {
  test('who has the file is not sent it again', async () => {
    const { url } = await withFile()
    const etag = `"${sha256(content)}"`
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = await fetch(url, { headers: { 'if-none-match': known } })
      expect([known, response.status, response.headers.get('etag')]).toEqual([known, 304, etag])
    }
    const other = await fetch(url, { headers: { 'if-none-match': '"other"' } })
    expect(other.status).toBe(200)
    await other.arrayBuffer()
  })
})

describe('addresses', () => {
  test('without a right signature nothing is said, not even whether there is something', async () => {
    const { url, doors } = await withFile()
    const changed = [
      url.replace(/signature=./, 'signature=_'),
      url.replace(/expires=\d/, 'expires=9'),
      url.replace(/\/artifacts\/(\d+)/, (_, id) => `/artifacts/${Number(id) + 1}`),
      url.replace(/\?.*/, ''),
      doors.at('/artifacts/'),
      doors.at('/artifacts/1/../../etc/passwd?expires=1&signature=x'),
      doors.at('/artifacts/1?expires=NaN&signature='),
    ].filter((one) => new URL(one).pathname.startsWith('/artifacts/'))
    for (const one of changed) {
      const response = await fetch(one)
      expect([one, response.status]).toEqual([one, 403])
      expect(await response.json()).toMatchObject({
        errors: [
          {
            message: expect.stringContaining("Ask the API for the artifact's `url`"),
            extensions: { code: 'FORBIDDEN' },
          },
        ],
      })
    }
  })

  test('the name is only for people', async () => {
    const { url } = await withFile()
    for (const name of ['other.png', '%E0%A4%A', 'a%2Fb'])
      expect((await fetch(url.replace(/artifact-\d+\.bin/, name), { method: 'HEAD' })).status).toBe(200)
  })

  test('one that has expired says so; the API gives another', async () => {
    const { url, doors, id, advance } = await withFile({ HEARTH_ARTIFACT_URL_SECONDS: '60' })
    advance(80_000)
    const response = await fetch(url)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ errors: [{ message: expect.stringContaining('has expired') }] })
    const fresh = await fetch(await urlOf(doors, id))
    expect(fresh.status).toBe(200)
    await fresh.arrayBuffer()
  })

  test('a picture may be shown by a page of another site that was given the address', async () => {
    const { url } = await withFile()
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }
    const response = await fetch(url, { headers })
    expect([response.status, response.headers.get('cross-origin-resource-policy')]).toEqual([200, 'cross-origin'])
    await response.arrayBuffer()
  })

  test('a file that is gone is told as gone', async () => {
    const { url, app } = await withFile()
    expect(app.context.artifacts.files.remove(sha256(content), content.length)).toBe(true)
    const response = await fetch(url)
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ errors: [{ message: expect.stringContaining('no longer kept') }] })
  })
})

test('a reader that leaves, or takes nothing, costs no file descriptor', async () => {
  const { doors } = await openArtifactDoors({ HEARTH_STALLED_CLIENT_MS: '200' })
  const { answer } = await put(doors, Buffer.alloc(16 * 1024 * 1024), type)
  const url = await urlOf(doors, answer.id as string)
  const before = openFiles()
  for (const leave of [true, false]) {
    const sending = request(url, (response) => {
      response.once('readable', () => {
        if (leave) response.destroy()
      })
    })
    sending.on('error', () => {})
    sending.end()
    await expect.poll(() => openFiles() > before, { interval: 1 }).toBe(true)
    await expect.poll(openFiles, { timeout: 5000 }).toBe(before)
  }
  expect(doors.log).toEqual([])
})

/** How many files of artifacts this process has open. */
function openFiles(): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return targets.filter((target) => target.includes('/artifacts/')).length
}
