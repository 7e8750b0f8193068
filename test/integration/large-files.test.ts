/** Files far larger than what a server may hold of them: up and down in flat memory, and what becomes of them with time. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { noop, submit } from '../support/submissions.ts'

const mebibyte = 1024 * 1024
const sizeMiB = 256
/** Of the server, above what it had before; held pieces would make it more than 200. */
const growthMiBMax = 48
const patience = { timeout: 20_000, interval: 100 }

async function start(environment: Readonly<Record<string, string>> = {}): Promise<Hearth> {
  const hearth = await startHearth({ environment })
  onTestFinished(() => hearth.kill())
  return hearth
}

function residentMiB({ pid }: Hearth): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
  return Number(kibibytes) / 1024
}

test(`${sizeMiB} MiB go up and come down in flat memory`, async () => {
  const hearth = await start()
  // The first files pay for code and buffers that stay.
  const { id: small } = await upload(hearth, 32)
  await download(await urlOf(hearth, small))
  const before = residentMiB(hearth)
  let peak = before
  const watch = setInterval(() => (peak = Math.max(peak, residentMiB(hearth))), 20)
  try {
    const { id, sha256, sizeBytes } = await upload(hearth, sizeMiB)
    expect(sizeBytes).toBe(sizeMiB * mebibyte)
    expect(await download(await urlOf(hearth, id))).toEqual({ sha256, sizeBytes })
  } finally {
    clearInterval(watch)
  }
  expect(peak - before).toBeLessThan(growthMiBMax)
})

test('what has been kept long enough goes: jobs, their results, uploads, files and cursors', async () => {
  const hearth = await start({
    HEARTH_JOB_RETENTION_DAYS: String(1 / 86_400),
    HEARTH_ARTIFACT_RETENTION_DAYS: String(1 / 86_400),
    HEARTH_RETENTION_INTERVAL_MS: '200',
  })
  const { jobs } = await hearth.ask<{ jobs: { changesCursor: string } }>('{ jobs { changesCursor } }')
  const { id: uploaded } = await upload(hearth, 1)
  const url = await urlOf(hearth, uploaded)
  const job = await submit(hearth, noop({ tensorBytes: [200_000] }))
  const node = async (id: string) =>
    (await hearth.ask<{ node: object | null }>('query ($id: ID!) { node(id: $id) { id } }', { id })).node
  await expect.poll(() => node(job), patience).toBe(null)
  await expect.poll(() => node(uploaded), patience).toBe(null)
  const gone = await fetch(url)
  expect([gone.status, await gone.text()]).toEqual([404, expect.stringContaining('no longer kept')])
  await expect.poll(() => artifactBytes(hearth), patience).toBe(0)

  const refused = Promise.withResolvers<unknown>()
  hearth.socket().subscribe(
    { query: `subscription { jobChanges(after: "${jobs.changesCursor}") { cursor } }` },
    {
      next: (answer) => refused.resolve(answer),
      error: (errors) => refused.resolve({ errors }),
      complete: () => refused.resolve(null),
    },
  )
  expect(await refused.promise).toMatchObject({ errors: [{ extensions: { code: 'CURSOR_EXPIRED' } }] })
})

async function artifactBytes(hearth: Hearth): Promise<number> {
  const { server } = await hearth.ask<{ server: { storage: { artifactBytes: number } } }>(
    '{ server { storage { artifactBytes } } }',
  )
  return server.storage.artifactBytes
}

async function upload(hearth: Hearth, mib: number): Promise<{ id: string; sha256: string; sizeBytes: number }> {
  const piece = new Uint8Array(mebibyte)
  let sent = 0
  const body = new ReadableStream({
    pull(controller) {
      if (sent === mib) return controller.close()
      // No two pieces are alike.
      new DataView(piece.buffer).setUint32(0, sent++)
      controller.enqueue(piece.slice())
    },
  })
  const streamed = { body, duplex: 'half' } as const
  const headers = { 'content-type': 'application/octet-stream' }
  const response = await fetch(new URL('/uploads', hearth.url), { method: 'PUT', headers, ...streamed })
  expect(response.status).toBe(201)
  return (await response.json()) as { id: string; sha256: string; sizeBytes: number }
}

async function urlOf(hearth: Hearth, id: string): Promise<string> {
  const query = 'query ($id: ID!) { node(id: $id) { ... on Artifact { url } } }'
  return (await hearth.ask<{ node: { url: string } }>(query, { id })).node.url
}

async function download(url: string): Promise<{ sha256: string; sizeBytes: number }> {
  const response = await fetch(url)
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const piece of response.body ?? []) {
    hash.update(piece)
    sizeBytes += piece.byteLength
  }
  return { sha256: hash.digest('hex'), sizeBytes }
}
