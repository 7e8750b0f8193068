/** What jobs make becomes artifacts: waiting for room, letting go, and saying when nothing more may come. */
import { chmod, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ArtifactUrls } from '../../../src/app/artifact-urls.ts'
import { Artifacts } from '../../../src/app/artifacts.ts'
import { Ids } from '../../../src/app/ids.ts'
import { ArtifactsClosed, ResultGivenUp } from '../../../src/app/waiting-results.ts'
import { ArtifactTooLarge } from '../../../src/runtime/artifacts/errors.ts'
import { readSigningKey } from '../../../src/runtime/artifacts/signing-key.ts'
import type { JobId } from '../../../src/scheduler/ids.ts'
import type { Store } from '../../../src/store/store.ts'
import { artifactFiles, filesIn, pieces, sha256 } from '../../support/artifacts.ts'
import { dataFolder } from '../../support/data-folder.ts'
import { picture } from '../../support/pictures.ts'

const jobId = 3 as JobId

async function start(unused: readonly string[] = []) {
  const { files, folder } = await artifactFiles()
  const store = { findUnusedContents: async (given: readonly string[]) => given.filter((one) => unused.includes(one)) }
  const artifacts = new Artifacts({
    files,
    urls: new ArtifactUrls(Buffer.alloc(32), 1000, () => ''),
    store: store as Partial<Store> as Store,
    ids: new Ids({ nextJobId: 1, nextTaskId: 1, nextSessionId: 1, nextArtifactId: 40 }),
    clock: { now: () => 5000 },
    sizeBytesMax: 100_000,
    freeBytesMin: 1000,
  })
  return { artifacts, files, folder }
}

/** Fails as a full disk does until `room` is made. */
function whileFull() {
  let isFull = true
  let asked = 0
  return {
    makeRoom: () => (isFull = false),
    asked: () => asked,
    async *source(): AsyncGenerator<Uint8Array> {
      asked++
      yield Buffer.from('re')
      if (isFull) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
      yield Buffer.from('sult')
    },
  }
}

describe('what a job has made', () => {
  test('is a durable file before it is a row', async () => {
    const { artifacts, folder } = await start()
    const record = await artifacts.prepare(() => pieces('re', 'sult'), { mimeType: 'text/plain', jobId })
    expect(record).toEqual({
      id: 40,
      sha256: sha256('result'),
      mimeType: 'text/plain',
      sizeBytes: 6,
      width: null,
      height: null,
      jobId,
      createdAt: 5000,
    })
    expect(await filesIn(folder)).toEqual([record.sha256])
  })

  test('has a size in pixels where it is a picture, and none where it only says so', async () => {
    const { artifacts } = await start()
    const real = await artifacts.prepare(() => pieces(picture('png')), { mimeType: 'image/png', jobId })
    expect([real.width, real.height]).toEqual([5, 3])
    const fake = await artifacts.prepare(() => pieces('no picture'), { mimeType: 'image/png', jobId })
    expect([fake.width, fake.height]).toEqual([null, null])
  })

  test('and cannot be read again leaves nothing, and nothing held', async () => {
    const content = picture('png')
    const { artifacts, files, folder } = await start([sha256(content)])
    files.openForReading = () => Promise.reject(new Error('too many open files'))
    const preparing = artifacts.prepare(() => pieces(content), { mimeType: 'image/png', jobId })
    await expect(preparing).rejects.toThrow('too many open files')
    await expect.poll(() => filesIn(folder)).toEqual([])
  })

  test('waits while the disk is full, and is asked for anew from its first piece', async () => {
    const { artifacts, folder } = await start()
    const full = whileFull()
    const preparing = artifacts.prepare(() => full.source(), { mimeType: 'text/plain', jobId })
    await expect.poll(() => artifacts.trouble).toMatch(/1 results wait for room/)
    expect(artifacts.refusal()).toMatchObject({ limit: 'disk', kind: 'OverloadedError' })
    await expect.poll(full.asked).toBeGreaterThan(1)
    await expect.poll(() => filesIn(folder)).toEqual([])
    full.makeRoom()
    expect((await preparing).sha256).toBe(sha256('result'))
    expect(artifacts.trouble).toBe(null)
  })

  test('that still waits when the server ends is told that no room will come', async () => {
    const { artifacts } = await start()
    const preparing = artifacts.prepare(() => whileFull().source(), { mimeType: 'text/plain', jobId })
    const ending = expect(preparing).rejects.toThrow(ArtifactsClosed)
    await expect.poll(() => artifacts.trouble).not.toBe(null)
    artifacts.close()
    await ending
    expect(artifacts.trouble).toBe(null)
  })

  test('that still waits when its job is cancelled waits no longer; others do', async () => {
    const { artifacts, folder } = await start()
    const full = whileFull()
    const other = artifacts.prepare(() => full.source(), { mimeType: 'text/plain', jobId: 4 as JobId })
    const preparing = artifacts.prepare(() => full.source(), { mimeType: 'text/plain', jobId })
    const ending = expect(preparing).rejects.toThrow(ResultGivenUp)
    await expect.poll(() => artifacts.waiting).toBe(2)
    artifacts.giveUp(jobId)
    await ending
    expect(artifacts.waiting).toBe(1)
    await expect.poll(() => filesIn(folder)).toEqual([])
    full.makeRoom()
    expect((await other).sha256).toBe(sha256('result'))
  })

  test('that is larger than may be fails at once', async () => {
    const { artifacts } = await start()
    const preparing = artifacts.prepare(() => pieces(Buffer.alloc(100_001)), { mimeType: 'text/plain', jobId })
    await expect(preparing).rejects.toThrow(ArtifactTooLarge)
  })

  test('and is given up goes, unless another artifact has the same content', async () => {
    const { artifacts, folder } = await start([sha256('mine')])
    const mine = await artifacts.prepare(() => pieces('mine'), { mimeType: 'text/plain', jobId })
    const shared = await artifacts.prepare(() => pieces('shared'), { mimeType: 'text/plain', jobId })
    await artifacts.discard([mine, shared])
    await expect.poll(() => filesIn(folder)).toEqual([shared.sha256])
  })

  test('and is given up stays while somebody else is about to write a row for the same content', async () => {
    const { artifacts, folder } = await start([sha256('both')])
    const [one, other] = await Promise.all([
      artifacts.prepare(() => pieces('both'), { mimeType: 'text/plain', jobId }),
      artifacts.prepare(() => pieces('both'), { mimeType: 'text/plain', jobId }),
    ])
    await artifacts.discard([one])
    expect(await filesIn(folder)).toEqual([other.sha256])
    artifacts.committed([other])
    artifacts.removeFiles([[other.sha256, 4]])
    expect(await filesIn(folder)).toEqual([other.sha256])
    await nextTurn()
    artifacts.removeFiles([[other.sha256, 4]])
    await expect.poll(() => filesIn(folder)).toEqual([])
  })
})

test('with less than the reserve free nothing more is taken, nor a file that would eat into it', async () => {
  const { artifacts } = await start()
  expect(artifacts.refusal()).toBe(null)
  artifacts.noteFreeBytes(1500)
  expect(artifacts.refusal(500)).toBe(null)
  expect(artifacts.refusal(501)).toMatchObject({
    limit: 'disk',
    message: expect.stringContaining('HEARTH_DISK_RESERVE_BYTES'),
  })
  artifacts.noteFreeBytes(999)
  expect(artifacts.trouble).toContain('999 bytes are left')
  artifacts.noteFreeBytes(1000)
  expect(artifacts.trouble).toBe(null)
})

test('a key of addresses that cannot be read is not replaced: every address would be void', async () => {
  const path = join(await dataFolder(), 'artifact-key')
  await mkdir(path)
  await expect(readSigningKey(path)).rejects.toThrow('EISDIR')
})

test('the key of addresses is made once, for its owner alone, and again where it is lost or damaged', async () => {
  const path = join(await dataFolder(), 'artifact-key')
  const key = await readSigningKey(path)
  expect(key).toHaveLength(32)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readSigningKey(path)).toEqual(key)
  await chmod(path, 0o600)
  await writeFile(path, 'short')
  const second = await readSigningKey(path)
  expect(second).toHaveLength(32)
  expect(second).not.toEqual(key)
  await rm(path)
  expect(await readSigningKey(path)).not.toEqual(second)
})
