/**
 * Reading a header without knowing where its bytes are: a reader is a generator that asks for a range and is given its bytes, so the same
 * one serves bytes in memory and files that are too large for it. A range that ends beyond the picture comes back shorter.
 */

export interface ByteRange {
  readonly offset: number
  readonly length: number
}
export type HeaderReading<Result> = Generator<ByteRange, Result, Uint8Array>

export type PictureType = 'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif' | 'image/bmp'

export interface PictureHeader {
  readonly mimeType: PictureType
  /** Pixels, as displayed: after the rotation that a JPEG's EXIF data asks for. */
  readonly width: number
  readonly height: number
}

/** The header is cut off, or says what cannot be. The message is a sentence for whoever sent the picture. */
export class BrokenPicture extends Error {
  override readonly name = 'BrokenPicture'
}

/** Exactly so many bytes, or the picture is broken. */
export function* bytesAt(offset: number, length: number): HeaderReading<DataView> {
  const bytes = yield { offset, length }
  if (bytes.byteLength < length)
    throw new BrokenPicture(`The picture ends inside its header, after ${offset + bytes.byteLength} bytes.`)
  return new DataView(bytes.buffer, bytes.byteOffset, length)
}

/** As Latin-1, for marks in headers. */
export function textAt(view: DataView, offset: number, length: number): string {
  let text = ''
  for (let index = 0; index < length; index++) text += String.fromCharCode(view.getUint8(offset + index))
  return text
}
