/** PNG, ISO/IEC 15948: the chunk IHDR comes first and has 13 bytes. */
import { BrokenPicture, bytesAt, type HeaderReading, type PictureHeader, textAt } from './header-reading.ts'

/** Bit depths that each colour type may have. */
const depthsOfColour = new Map([
  [0, [1, 2, 4, 8, 16]],
  [2, [8, 16]],
  [3, [1, 2, 4, 8]],
  [4, [8, 16]],
  [6, [8, 16]],
])

export function* readPng(): HeaderReading<Omit<PictureHeader, 'mimeType'>> {
  const view = yield* bytesAt(8, 21)
  if (view.getUint32(0) !== 13 || textAt(view, 4, 4) !== 'IHDR')
    throw new BrokenPicture('The PNG does not begin with its header chunk IHDR.')
  const depth = view.getUint8(16)
  const colour = view.getUint8(17)
  if (!depthsOfColour.get(colour)?.includes(depth))
    throw new BrokenPicture(`The PNG's header names no known kind of pixels (colour type ${colour}, ${depth} bits).`)
  return { width: view.getUint32(8), height: view.getUint32(12) }
}
