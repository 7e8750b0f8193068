/** GIF 87a and 89a: the size of the canvas follows the signature. */
import { bytesAt, type HeaderReading, type PictureHeader } from './header-reading.ts'

export function* readGif(): HeaderReading<Omit<PictureHeader, 'mimeType'>> {
  const view = yield* bytesAt(6, 7)
  return { width: view.getUint16(0, true), height: view.getUint16(2, true) }
}
