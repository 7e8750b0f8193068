/** The orientation that EXIF data asks for: tag 0x0112 in the first directory of a TIFF structure. What cannot be read asks for nothing, as decoders have it. */
import { type HeaderReading, textAt } from './header-reading.ts'

const orientationTag = 0x0112
const entryBytes = 12
/** `Exif\0\0`, before the TIFF structure. */
const markBytes = 6

/** 1 to 8; 1 = as stored. */
export function* readOrientation(offset: number, length: number): HeaderReading<number> {
  const bytes = yield { offset, length }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.byteLength < markBytes + 8 || textAt(view, 0, markBytes) !== 'Exif\0\0') return 1
  return orientationOf(new DataView(view.buffer, view.byteOffset + markBytes, view.byteLength - markBytes))
}

function orientationOf(tiff: DataView): number {
  const order = textAt(tiff, 0, 2)
  if (order !== 'II' && order !== 'MM') return 1
  const isLittle = order === 'II'
  const directory = tiff.getUint32(4, isLittle)
  if (tiff.getUint16(2, isLittle) !== 42 || directory + 2 > tiff.byteLength) return 1
  const count = tiff.getUint16(directory, isLittle)
  for (let index = 0; index < count; index++) {
    const entry = directory + 2 + index * entryBytes
    if (entry + entryBytes > tiff.byteLength) return 1
    if (tiff.getUint16(entry, isLittle) !== orientationTag) continue
    const value = tiff.getUint16(entry + 8, isLittle)
    return value >= 1 && value <= 8 ? value : 1
  }
  return 1
}
