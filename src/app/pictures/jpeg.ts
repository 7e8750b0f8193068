/**
 * JPEG: segments up to the one that begins a frame, which holds the size. EXIF data before it may ask for a rotation by a quarter turn (orientations
 * 5 to 8): then width and height are given as displayed.
 */

import { readOrientation } from './exif.ts'
import { BrokenPicture, bytesAt, type HeaderReading, type PictureHeader } from './header-reading.ts'

/** Real pictures have some dozens; each costs a read. */
const segmentsMax = 1000
const fillBytesMax = 64

export function* readJpeg(): HeaderReading<Omit<PictureHeader, 'mimeType'>> {
  let offset = 2
  let isTurned = false
  for (let count = 0; count < segmentsMax; count++) {
    const { marker, at } = yield* nextMarker(offset)
    if (isStandalone(marker)) {
      offset = at
      continue
    }
    const length = (yield* bytesAt(at, 2)).getUint16(0)
    if (length < 2) throw new BrokenPicture(`A segment of the JPEG claims ${length} bytes; it has at least 2.`)
    if (isFrame(marker)) {
      const frame = yield* bytesAt(at + 2, 5)
      const height = frame.getUint16(1)
      const width = frame.getUint16(3)
      return isTurned ? { width: height, height: width } : { width, height }
    }
    if (marker === scanMarker) throw new BrokenPicture('The JPEG has picture data before it says its size.')
    if (marker === exifMarker) isTurned ||= isQuarterTurn(yield* readOrientation(at + 2, length - 2))
    offset = at + length
  }
  throw new BrokenPicture(`The JPEG has more than ${segmentsMax} segments before it says its size.`)
}

const exifMarker = 0xe1
const scanMarker = 0xda
const endMarker = 0xd9

/** Any number of 0xff may stand before a marker. `at`: what follows it. */
function* nextMarker(offset: number): HeaderReading<{ readonly marker: number; readonly at: number }> {
  if ((yield* bytesAt(offset, 1)).getUint8(0) !== 0xff)
    throw new BrokenPicture(`The JPEG has no segment where one must begin, at byte ${offset}.`)
  for (let at = offset + 1; at <= offset + fillBytesMax; at++) {
    const marker = (yield* bytesAt(at, 1)).getUint8(0)
    if (marker === endMarker) throw new BrokenPicture('The JPEG ends before it says its size.')
    if (marker !== 0xff) return { marker, at: at + 1 }
  }
  throw new BrokenPicture(`The JPEG has more than ${fillBytesMax} fill bytes at byte ${offset}.`)
}

/** SOF0 to SOF15, among which DHT, JPG and DAC are something else. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

/** TEM and RST0 to RST7 have no length. */
function isStandalone(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
}

function isQuarterTurn(orientation: number): boolean {
  return orientation >= 5 && orientation <= 8
}
