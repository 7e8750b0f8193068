/** What kind of picture bytes are, and how large it is displayed, from its header alone: nothing is decoded, whatever the header claims. */
import { readBmp } from './bmp.ts'
import { readGif } from './gif.ts'
import {
  BrokenPicture,
  type ByteRange,
  type HeaderReading,
  type PictureHeader,
  type PictureType,
} from './header-reading.ts'
import { readJpeg } from './jpeg.ts'
import { readPng } from './png.ts'
import { readWebp } from './webp.ts'

/** So many bytes tell what a picture is. */
export const signatureBytes = 16

const signatures: readonly (readonly [PictureType, RegExp])[] = [
  // oxlint-disable-next-line no-control-regex -- the signature of PNG holds one on purpose.
  ['image/png', /^\x89PNG\r\n\x1a\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBP/],
  ['image/bmp', /^BM[^]{8}/],
]

const readers: Readonly<Record<PictureType, () => HeaderReading<Omit<PictureHeader, 'mimeType'>>>> = {
  'image/png': readPng,
  'image/jpeg': readJpeg,
  'image/webp': readWebp,
  'image/gif': readGif,
  'image/bmp': readBmp,
}

/** By the first bytes; null = no picture of a kind that is known here. */
export function pictureTypeOf(start: Uint8Array): PictureType | null {
  const text = Buffer.from(start.buffer, start.byteOffset, Math.min(start.byteLength, signatureBytes)).toString(
    'latin1',
  )
  return signatures.find(([, signature]) => signature.test(text))?.[0] ?? null
}

export function isPictureType(mimeType: string): mimeType is PictureType {
  return Object.hasOwn(readers, mimeType)
}

/** Throws BrokenPicture. */
export function readPictureHeader(bytes: Uint8Array, mimeType: PictureType): PictureHeader {
  const reading = readers[mimeType]()
  let step = reading.next()
  while (!step.done) {
    const { offset, length } = step.value
    step = reading.next(bytes.subarray(offset, offset + length))
  }
  return checked({ mimeType, ...step.value })
}

/** Rejects with BrokenPicture, or with what `read` fails with. `read` gives fewer bytes only at the end of the file. */
export async function readPictureHeaderOf(
  read: (range: ByteRange) => Promise<Uint8Array>,
  mimeType: PictureType,
): Promise<PictureHeader> {
  const reading = readers[mimeType]()
  let step = reading.next()
  while (!step.done) step = reading.next(await read(step.value))
  return checked({ mimeType, ...step.value })
}

function checked(header: PictureHeader): PictureHeader {
  if (header.width > 0 && header.height > 0) return header
  throw new BrokenPicture(
    `The picture's header says ${header.width} x ${header.height} pixels; each must be at least 1.`,
  )
}
