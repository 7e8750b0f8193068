import type { ArtifactFiles } from '../../runtime/artifacts/artifact-files.ts'
import type { PictureHeader, PictureType } from './header-reading.ts'
import { readPictureHeaderOf } from './picture-header.ts'

/** Headers are read in so many bytes at least: most fit into one read, however many small steps they are taken in. */
const readBytesMin = 16 * 1024

/** The header of a picture that is stored. Rejects with BrokenPicture. */
export async function readStoredPicture(
  files: ArtifactFiles,
  sha256: string,
  type: PictureType,
): Promise<PictureHeader> {
  const file = await files.openForReading(sha256)
  if (!file) throw new Error(`The file ${sha256} is gone though it is held.`)
  let window = { offset: 0, bytes: new Uint8Array(0) }
  try {
    return await readPictureHeaderOf(async ({ offset, length }) => {
      const isInside = offset >= window.offset && offset + length <= window.offset + window.bytes.byteLength
      if (!isInside) {
        const { buffer, bytesRead } = await file.read(new Uint8Array(Math.max(length, readBytesMin)), {
          position: offset,
        })
        window = { offset, bytes: buffer.subarray(0, bytesRead) }
      }
      return window.bytes.subarray(offset - window.offset, offset - window.offset + length)
    }, type)
  } finally {
    await file.close()
  }
}
