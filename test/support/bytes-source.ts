/** Bytes in memory, as header readers see a file. */
import type { ByteSource } from '../../src/runtime/models/byte-source.ts'

export function bytesSource(bytes: Uint8Array): ByteSource {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    sizeBytes: whole.length,
    read: (offset, lengthBytes) => Promise.resolve(whole.subarray(offset, offset + lengthBytes)),
  }
}
