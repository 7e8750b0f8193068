/** SHA-256 digests, as lower-case hexadecimal text. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

const READ_CHUNK_BYTES = 1 << 20

/**
 * One digest over several texts; where one ends and the next begins counts.
 * @param {...string} texts
 */
export function digestOfTexts(...texts) {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex')
}

/**
 * @param {string} path
 * @param {(bytesRead: number) => void} [onProgress] called with the bytes read so far
 */
export async function digestOfFile(path, onProgress = () => {}) {
  const hash = createHash('sha256')
  let bytesRead = 0
  const stream = createReadStream(path, { highWaterMark: READ_CHUNK_BYTES })
  for await (const chunk of /** @type {AsyncIterable<Buffer>} */ (stream)) {
    hash.update(chunk)
    bytesRead += chunk.length
    onProgress(bytesRead)
  }
  return hash.digest('hex')
}
