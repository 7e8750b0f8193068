/** BMP: a header of 12 bytes (OS/2) or at least 40 (Windows), whose height is negative when the first row is the top one. */
import { BrokenPicture, bytesAt, type HeaderReading, type PictureHeader } from './header-reading.ts'

export function* readBmp(): HeaderReading<Omit<PictureHeader, 'mimeType'>> {
  const view = yield* bytesAt(14, 12)
  const headerBytes = view.getUint32(0, true)
  if (headerBytes === 12) return { width: view.getUint16(4, true), height: view.getUint16(6, true) }
  if (headerBytes < 40 || headerBytes > 1024)
    throw new BrokenPicture(`The BMP's header claims ${headerBytes} bytes; 12, or 40 and more, are known.`)
  return { width: Math.max(0, view.getInt32(4, true)), height: Math.abs(view.getInt32(8, true)) }
}
