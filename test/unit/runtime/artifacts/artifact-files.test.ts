import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ArtifactFiles } from '../../../../src/runtime/artifacts/artifact-files.ts'
import { ArtifactDiskFull, ArtifactTooLarge } from '../../../../src/runtime/artifacts/errors.ts'
import { artifactFiles, filesIn, pieces, sha256 } from '../../../support/artifacts.ts'

const limits = { sizeBytesMax: 1000 }

test('a file lies under the digest of its content', async () => {
  const { files, folder } = await artifactFiles()
  const content = await files.put(pieces('one ', 'and ', 'two'), limits)
  expect(content).toEqual({ sha256: sha256('one and two'), sizeBytes: 11 })
  expect(files.path(content.sha256)).toBe(join(folder, content.sha256.slice(0, 2), content.sha256))
  expect(await readFile(files.path(content.sha256), 'utf8')).toBe('one and two')
  expect(files.usedBytes).toBe(11)
})

test('equal content is one file, also when it comes twice at once', async () => {
  const { files, folder } = await artifactFiles()
  await Promise.all([files.put(pieces('same'), limits), files.put(pieces('sa', 'me'), limits)])
  expect(await filesIn(folder)).toEqual([sha256('same')])
  expect(files.usedBytes).toBe(4)
})

test('nothing is a content too', async () => {
  const { files } = await artifactFiles()
  expect(await files.put(pieces(), limits)).toEqual({ sha256: sha256(''), sizeBytes: 0 })
})

describe('what fails leaves nothing', () => {
  test('a source that breaks off', async () => {
    const { files, folder } = await artifactFiles()
    const breaking = async function* () {
      yield Buffer.from('half')
      throw new Error('gone')
    }
    await expect(files.put(breaking(), limits)).rejects.toThrow('gone')
    expect(await filesIn(folder)).toEqual([])
  })

  test('more than may be; the source is asked for nothing further', async () => {
    const { files, folder } = await artifactFiles()
    let asked = 0
    const endless = async function* () {
      for (;;) {
        asked++
        yield Buffer.alloc(400)
      }
    }
    await expect(files.put(endless(), limits)).rejects.toThrow(ArtifactTooLarge)
    expect(asked).toBe(3)
    expect(await filesIn(folder)).toEqual([])
  })

  test('a server that is killed: the next one removes what was half written', async () => {
    const { files, folder } = await artifactFiles()
    const { sha256: kept } = await files.put(pieces('whole'), limits)
    await writeFile(join(folder, 'incoming', 'left-over'), 'half')
    await ArtifactFiles.open(folder)
    expect(await filesIn(folder)).toEqual([kept])
  })

  test('a full disk, which is told by its own name', async () => {
    const { files } = await artifactFiles()
    const full = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('some')
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }
    await expect(files.put(full(), limits)).rejects.toThrow(ArtifactDiskFull)
  })
})

describe('removing', () => {
  test('what somebody holds stays until everybody has let go', async () => {
    const { files, folder } = await artifactFiles()
    const { sha256: content } = await files.put(pieces('wanted'), limits)
    await files.put(pieces('wanted'), limits)
    expect(files.remove(content, 6)).toBe(false)
    files.release(content)
    expect(files.remove(content, 6)).toBe(false)
    files.release(content)
    expect(files.remove(content, 6)).toBe(true)
    expect(await files.openForReading(content)).toBe(null)
    expect(files.usedBytes).toBe(0)
    await expect.poll(() => filesIn(folder)).toEqual([])
  })

  test('what is gone already is removed', async () => {
    const { files } = await artifactFiles()
    expect(files.remove(sha256('never'), 5)).toBe(true)
  })

  test('who reads a file reads it to its end', async () => {
    const { files } = await artifactFiles()
    const { sha256: content } = await files.put(pieces('still here'), limits)
    files.release(content)
    const file = await files.openForReading(content)
    expect(files.remove(content, 10)).toBe(true)
    expect(await file?.readFile('utf8')).toBe('still here')
    await file?.close()
  })

  test('only digests name files', async () => {
    const { files } = await artifactFiles()
    for (const name of ['../../etc/passwd', '', 'AB'.repeat(32), `${'a'.repeat(63)}/`])
      expect(() => files.path(name)).toThrow('names no content')
  })
})

test('a sweep counts what is there, and removes what nobody needs or holds', async () => {
  const { files: former, folder } = await artifactFiles()
  const known = await former.put(pieces('known'), limits)
  const orphan = await former.put(pieces('orphan'), limits)
  await mkdir(join(folder, 'zz'), { recursive: true })
  await writeFile(join(folder, 'zz', 'no digest'), 'not ours')

  const files = await ArtifactFiles.open(folder)
  const held = await files.put(pieces('held'), limits)
  const removed = await files.sweep(async (contents) => contents.filter((content) => content !== known.sha256))
  expect(removed).toBe(1)
  const expected = [known.sha256, held.sha256, 'no digest'].toSorted()
  await expect.poll(async () => (await filesIn(folder)).toSorted()).toEqual(expected)
  expect(await files.openForReading(orphan.sha256)).toBe(null)
  expect(files.usedBytes).toBe('known'.length + 'held'.length)
})

describe('bytes in use', () => {
  async function withFormer(...contents: string[]) {
    const { files: former, folder } = await artifactFiles()
    const kept = []
    for (const content of contents) kept.push(await former.put(pieces(content), limits))
    return { files: await ArtifactFiles.open(folder), kept }
  }
  const noneUnused = async () => []

  test('are those of the files, however often they are swept', async () => {
    const { files } = await withFormer('one', 'other')
    await files.sweep(noneUnused)
    await files.sweep(noneUnused)
    expect(files.usedBytes).toBe('one'.length + 'other'.length)
  })

  test('of a file that goes before the sweep has come to it were never counted', async () => {
    const { files, kept } = await withFormer('goes', 'stays')
    files.remove(kept[0]?.sha256 as string, 'goes'.length)
    await files.sweep(noneUnused)
    expect(files.usedBytes).toBe('stays'.length)
  })

  test('of a content that goes and comes again while it is swept count once', async () => {
    const { files, kept } = await withFormer('a', 'b')
    const first = kept[0]?.sha256 as string
    await files.sweep(async (contents) => {
      if (!contents.includes(first)) return []
      files.remove(first, 1)
      await files.put(pieces('a'), limits)
      return []
    })
    expect(files.usedBytes).toBe(2)
  })
})
