/** Where outputs go to and come from in tests: files in memory, tensors that know what became of them. */
import type { OutputPlaces } from '../../src/app/outputs/finish-output.ts'
import { pictureTypeOf, readPictureHeader } from '../../src/app/pictures/picture-header.ts'
import type { StoredContent } from '../../src/runtime/artifacts/artifact-files.ts'
import type { ArtifactId } from '../../src/store/records.ts'

const noSize = { width: null, height: null }

/** Files in memory, and what became of them. */
export class Files implements OutputPlaces {
  readonly inlineTensorBytesMax: number
  readonly written: { mimeType: string; bytes: Buffer }[] = []
  readonly discarded: StoredContent[] = []
  /** Of every job; null = not kept any more. */
  request: string | null = null
  /** Fails the n-th file, from 0. */
  failing = -1

  constructor(inlineTensorBytesMax = 32) {
    this.inlineTensorBytesMax = inlineTensorBytesMax
  }

  readonly readRequest = async () => this.request

  readonly artifacts: OutputPlaces['artifacts'] = {
    prepare: async (source, { mimeType, jobId: job }) => {
      const pieces: Uint8Array[] = []
      for await (const piece of source()) pieces.push(Uint8Array.from(piece))
      if (this.written.length === this.failing) throw new Error('The disk is on fire.')
      const bytes = Buffer.concat(pieces)
      const id = (100 + this.written.push({ mimeType, bytes })) as ArtifactId
      const sha256 = String(id).padStart(64, '0')
      const isPicture = pictureTypeOf(bytes) === mimeType
      const { width, height } = isPicture ? readPictureHeader(bytes, mimeType) : noSize
      return { id, sha256, mimeType, sizeBytes: bytes.length, width, height, jobId: job, createdAt: 0 }
    },
    discard: async (records) => {
      this.discarded.push(...records)
    },
  }
}

/** Shared memory that counts how often it is given back, and cannot be read afterwards. */
export function largeTensor(dtype: string, shape: readonly number[], bytes: Uint8Array) {
  const region = {
    sizeBytes: bytes.byteLength,
    released: 0,
    async *pieces() {
      for (let at = 0; at < bytes.byteLength; at += 16) {
        if (region.released > 0) throw new Error('Read after release.')
        yield bytes.subarray(at, at + 16)
      }
    },
    release() {
      region.released += 1
    },
  }
  return { dtype, shape, region }
}
