/** What a file is taken for before it is read whole. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isPickle } from '../../../../src/runtime/models/inspect-files.ts'
import { ModelFolders } from '../../../support/model-folder.ts'

let folders: ModelFolders
beforeEach(async () => {
  folders = await ModelFolders.make()
})
afterEach(() => folders[Symbol.asyncDispose]())

async function looksLikePickle(name: string, content: Uint8Array): Promise<boolean> {
  const path = join(folders.root, name)
  await writeFile(path, content)
  return isPickle(path)
}

describe('a pickle', () => {
  // As Python's pickle.dumps writes them.
  test.each<[string, Buffer]>([
    ['of protocol 2', Buffer.from('\x80\x02}q\x00.', 'latin1')],
    ['of protocol 3', Buffer.from('\x80\x03cos\nsystem\nq\x00.', 'latin1')],
    ['of protocol 4', Buffer.from('\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00K\x01.', 'latin1')],
    ['of protocol 5', Buffer.from('\x80\x05N.', 'latin1')],
    ['in an archive of torch', Buffer.from('PK\x03\x04\x00\x00archive/data.pkl', 'latin1')],
  ])('%s is known whatever it is called', async (_, content) => {
    expect(await looksLikePickle('weights.onnx', content)).toBe(true)
    expect(await looksLikePickle('weights.safetensors', content)).toBe(true)
  })
})

describe('no pickle', () => {
  test.each([640, 896, 1152, 1408])('is a safetensors file whose header has %i bytes', async (bytes) => {
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(bytes))
    const header = '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'.padEnd(bytes, ' ')
    expect(await looksLikePickle('a.safetensors', Buffer.concat([length, Buffer.from(header)]))).toBe(false)
  })

  test('are weights that begin like one', async () => {
    expect(await looksLikePickle('weights.bin', Uint8Array.of(0x80, 2, 0x10, 0x3f))).toBe(false)
  })
})
