/** The disk of the data folder fills up under a real server: it says so, finishes what it has accepted, and takes up again when there is room. */
import { expect, onTestFinished, test } from 'vitest'
import type { Hearth } from '../support/hearth.ts'
import { type SmallDisk, startOnSmallDisk } from '../support/small-disk.ts'
import { noop, submit, trySubmit } from '../support/submissions.ts'
import { until } from '../support/until.ts'

const mebibyte = 1024 * 1024
const patience = { timeout: 30_000, interval: 100 }

async function start(sizeMiB: number, reserveMiB: number): Promise<SmallDisk> {
  const disk = await startOnSmallDisk(sizeMiB, {
    HEARTH_DISK_RESERVE_BYTES: String(reserveMiB * mebibyte),
    HEARTH_DATABASE_LIMIT_BYTES: String(1024 * mebibyte),
  })
  onTestFinished(() => disk.hearth.kill())
  return disk
}

async function stateOf(hearth: Hearth, id: string): Promise<string | undefined> {
  const { job } = await hearth.ask<{ job: { state: string } | null }>('query ($id: ID!) { job(id: $id) { state } }', {
    id,
  })
  return job?.state
}

async function upload(hearth: Hearth, content: string): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(new URL('/uploads', hearth.url), {
    method: 'PUT',
    body: content,
    headers: { 'content-type': 'text/plain' },
  })
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
}

test('below the reserve submissions and uploads are refused, running work goes on, and it recovers by itself', async () => {
  const { hearth, fillUpTo, free } = await start(64, 16)
  const running = await submit(hearth, noop({ steps: 30, stepMs: 100, value: 'kept' }))
  const kept = await upload(hearth, 'kept through all of it')
  expect(kept.status).toBe(201)

  await fillUpTo(8 * mebibyte)
  await expect.poll(() => upload(hearth, 'too late'), patience).toMatchObject({ status: 507 })
  const refused = await trySubmit(hearth, noop())
  expect(refused).toMatchObject({
    __typename: 'OverloadedError',
    limit: 'disk',
    message: expect.stringContaining('HEARTH_DISK_RESERVE_BYTES'),
  })
  expect(refused.retryAfterMs).toBeGreaterThan(0)
  expect((await fetch(new URL('/readyz', hearth.url))).status).toBe(503)
  await expect.poll(() => stateOf(hearth, running), patience).toBe('SUCCEEDED')
  const { server } = await hearth.ask<{ server: { storage: { freeBytes: number } } }>(
    '{ server { storage { freeBytes } } }',
  )
  expect(server.storage.freeBytes).toBeLessThan(16 * mebibyte)

  await free()
  await expect.poll(() => upload(hearth, 'in time again').then(({ status }) => status), patience).toBe(201)
  const next = await submit(hearth, noop())
  await expect.poll(() => stateOf(hearth, next), patience).toBe('SUCCEEDED')
  const { node } = await hearth.ask<{ node: { url: string } }>(
    'query ($id: ID!) { node(id: $id) { ... on Artifact { url } } }',
    {
      id: kept.answer['id'],
    },
  )
  expect(await (await fetch(node.url)).text()).toBe('kept through all of it')
})

test('uploads that do not say how large they are leave the reserve to running work, also many at once', async () => {
  const { hearth, freeBytes } = await start(64, 16)
  const running = await submit(hearth, noop({ steps: 20, stepMs: 100, tensorBytes: [3_000_000] }))
  const sendUnsized = async (content: number) => {
    const streamed = { body: new Blob([Buffer.alloc(40 * mebibyte, content)]).stream(), duplex: 'half' } as const
    const headers = { 'content-type': 'application/octet-stream' }
    const response = await fetch(new URL('/uploads', hearth.url), { method: 'PUT', headers, ...streamed })
    await response.arrayBuffer()
    return response.status
  }
  let isOver = false
  const sending = Promise.all([1, 2, 3, 4].map(sendUnsized)).finally(() => (isOver = true))
  let leastFree = Number.POSITIVE_INFINITY
  await until('all uploads are answered', async () => {
    leastFree = Math.min(leastFree, await freeBytes())
    return isOver
  })
  expect(await sending).toContain(507)
  expect(leastFree).toBeLessThan(40 * mebibyte)
  // The database writes into the reserve too.
  expect(leastFree).toBeGreaterThan(12 * mebibyte)
  await expect.poll(() => stateOf(hearth, running), patience).toBe('SUCCEEDED')
})

test.for([
  ['small enough to wait in memory', 900_000],
  ['so large that they wait in files or shared memory', 3_000_000],
] as const)('on a disk without any room results %s are not lost, and come when there is room', async ([, bytes]) => {
  const { hearth, fillUpTo, free } = await start(64, 2)
  const ids = await Promise.all(
    Array.from({ length: 4 }, (_, index) =>
      submit(hearth, noop({ steps: 20, stepMs: 100, tensorBytes: [bytes + index] })),
    ),
  )
  await expect.poll(() => Promise.all(ids.map((id) => stateOf(hearth, id))), patience).toContain('RUNNING')
  await fillUpTo(100_000)
  await expect.poll(() => isReady(hearth), patience).toBe(false)
  // Whichever is noticed first: too little room, or a commit that failed for it.
  expect(await trySubmit(hearth, noop())).toMatchObject({ limit: expect.stringMatching(/^(disk|storage)$/) })
  // The last step is told with the result.
  await expect.poll(() => progressOf(hearth, ids), patience).toEqual(Array(4).fill(19))
  for (const id of ids) expect(await stateOf(hearth, id)).toBe('RUNNING')

  await free()
  await expect
    .poll(() => Promise.all(ids.map((id) => stateOf(hearth, id))), patience)
    .toEqual(Array(4).fill('SUCCEEDED'))
  const query = 'query ($id: ID!) { job(id: $id) { output { ... on ProgramOutput { artifacts { url sizeBytes } } } } }'
  for (const [index, id] of ids.entries()) {
    const { job } = await hearth.ask<{ job: { output: { artifacts: { url: string; sizeBytes: number }[] } } }>(query, {
      id,
    })
    const [artifact] = job.output.artifacts
    expect(artifact?.sizeBytes).toBe(bytes + index)
    const read = Buffer.from(await (await fetch(artifact?.url as string)).arrayBuffer())
    expect(read).toEqual(Buffer.from(Array.from({ length: bytes + index }, (_, place) => place % 256)))
  }
  await expect.poll(() => isReady(hearth), patience).toBe(true)
  expect((await trySubmit(hearth, noop())).job).toBeDefined()
})

test('a result for which there may never be room is given up when its job is cancelled', async () => {
  const { hearth, fillUpTo } = await start(64, 0)
  const stuck = await submit(hearth, noop({ steps: 10, stepMs: 100, tensorBytes: [900_000] }))
  await fillUpTo(600_000)
  await expect.poll(() => isReady(hearth), patience).toBe(false)
  await expect.poll(() => progressOf(hearth, [stuck]), patience).toEqual([9])
  await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: stuck })
  await expect.poll(() => stateOf(hearth, stuck), patience).toBe('CANCELLED')
  await expect.poll(() => isReady(hearth), patience).toBe(true)
})

async function isReady(hearth: Hearth): Promise<boolean> {
  return (await fetch(new URL('/readyz', hearth.url))).ok
}

/** Steps done. */
async function progressOf(hearth: Hearth, ids: readonly string[]): Promise<(number | undefined)[]> {
  const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Job { progress { done } } } }'
  const { nodes } = await hearth.ask<{ nodes: { progress: { done: number } | null }[] }>(query, { ids })
  return nodes.map(({ progress }) => progress?.done)
}
