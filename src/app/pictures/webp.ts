/** WebP, RFC 9649: lossy (VP8), lossless (VP8L) or extended (VP8X, whose canvas counts), each as the first chunk after `WEBP`. */
import { BrokenPicture, bytesAt, type HeaderReading, type PictureHeader, textAt } from './header-reading.ts'

export function* readWebp(): HeaderReading<Omit<PictureHeader, 'mimeType'>> {
  const view = yield* bytesAt(12, 18)
  const kind = textAt(view, 0, 4)
  switch (kind) {
    case 'VP8 ': {
      if (view.getUint8(11) !== 0x9d || view.getUint8(12) !== 0x01 || view.getUint8(13) !== 0x2a)
        throw new BrokenPicture('The WebP does not begin with a key frame.')
      return { width: view.getUint16(14, true) & 0x3fff, height: view.getUint16(16, true) & 0x3fff }
    }
    case 'VP8L': {
      if (view.getUint8(8) !== 0x2f) throw new BrokenPicture('The lossless WebP does not begin with its mark.')
      const bits = view.getUint32(9, true)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    case 'VP8X':
      return { width: uint24(view, 12) + 1, height: uint24(view, 15) + 1 }
    default:
      throw new BrokenPicture('The WebP begins with no known chunk (VP8, VP8L or VP8X).')
  }
}

function uint24(view: DataView, offset: number): number {
  return view.getUint16(offset, true) | (view.getUint8(offset + 2) << 16)
}
