/** A server is killed while files come in: what was answered is there afterwards, what was not leaves nothing. */
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { filesIn } from '../support/artifacts.ts'
import { dataFolder } from '../support/data-folder.ts'
import { type Hearth, startHearth } from '../support/hearth.ts'

async function start(dataDir: string): Promise<Hearth> {
  const hearth = await startHearth({ dataDir })
  onTestFinished(() => hearth.kill())
  return hearth
}

async function urlOf(hearth: Hearth, id: string): Promise<string> {
  const query = 'query ($id: ID!) { node(id: $id) { ... on Artifact { url } } }'
  return (await hearth.ask<{ node: { url: string } }>(query, { id })).node.url
}

test('kill -9: an upload that was answered survives, with its address; a half one is gone after the next start', async () => {
  const dataDir = await dataFolder()
  const folder = join(dataDir, 'artifacts')
  const content = Buffer.alloc(3_000_000, 'kept')
  const first = await start(dataDir)
  const uploads = new URL('/uploads', first.url)
  const response = await fetch(uploads, { method: 'PUT', body: content })
  const { id } = (await response.json()) as { id: string }
  const url = await urlOf(first, id)
  const half = request(uploads, { method: 'PUT', headers: { 'content-length': 1_000_000 } })
  half.on('error', () => {})
  half.write(Buffer.alloc(100_000))
  await expect.poll(() => filesIn(folder), { timeout: 10_000 }).toHaveLength(2)
  await first.kill()

  const second = await start(dataDir)
  expect(await filesIn(folder)).toEqual([createHash('sha256').update(content).digest('hex')])
  // The key of addresses survives too; only the port is another.
  const { pathname, search } = new URL(url)
  for (const address of [await urlOf(second, id), new URL(pathname + search, second.url)]) {
    const read = await fetch(address)
    expect(read.status).toBe(200)
    expect(Buffer.from(await read.arrayBuffer()).equals(content)).toBe(true)
  }
  // The sweep counts what is there while the server already answers.
  const storage = () => second.ask<{ server: object }>('{ server { storage { artifactBytes } } }')
  await expect.poll(storage).toEqual({ server: { storage: { artifactBytes: content.length } } })
})
