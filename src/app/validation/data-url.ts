/** Small pictures inside a request: `data:image/png;base64,...`. */
import { BrokenPicture, type PictureHeader } from '../pictures/header-reading.ts'
import { isPictureType, pictureTypeOf, readPictureHeader } from '../pictures/picture-header.ts'

export const dataUrlBytesMax = 64 * 1024

export interface InlinePicture extends PictureHeader {
  readonly bytes: Uint8Array
}

const form = /^data:([a-z]+\/[a-z0-9.+-]+)?(;[^,]*)?,/i
/** Four characters for three bytes; the last group may be padded. */
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/

/** The picture, or a sentence on what is wrong with it. */
export function readDataUrl(url: string, pixelsMax: number): InlinePicture | string {
  const head = form.exec(url)
  if (!head) return 'must be like data:image/png;base64,... .'
  const [whole, mimeType = 'text/plain', parameters = ''] = head
  if (!parameters.toLowerCase().endsWith(';base64')) return 'must hold its bytes in Base64: data:image/png;base64,... .'
  const declared = mimeType.toLowerCase()
  if (!isPictureType(declared)) return `holds ${declared}; PNG, JPEG, WebP, GIF and BMP are known.`
  const text = url.slice(whole.length)
  if (text.length > Math.ceil(dataUrlBytesMax / 3) * 4)
    return `holds more than ${dataUrlBytesMax} bytes; upload larger pictures with PUT /uploads and give their artifactId.`
  if (!base64.test(text)) return 'holds what is no Base64.'
  const bytes = Buffer.from(text, 'base64')
  if (bytes.byteLength > dataUrlBytesMax)
    return `holds ${bytes.byteLength} bytes, of at most ${dataUrlBytesMax}; upload larger pictures with PUT /uploads and give their artifactId.`
  return readPicture(bytes, declared, pixelsMax)
}

function readPicture(bytes: Uint8Array, declared: string, pixelsMax: number): InlinePicture | string {
  const found = pictureTypeOf(bytes)
  if (found !== declared) return `says ${declared}, but its bytes are ${found ?? 'no picture that is known here'}.`
  try {
    const header = readPictureHeader(bytes, found)
    return tooManyPixels(header, pixelsMax) ?? { ...header, bytes }
  } catch (error) {
    if (error instanceof BrokenPicture) return `cannot be read. ${error.message}`
    throw error
  }
}

/** A few kilobytes can claim gigabytes of pixels: refused before anybody decodes them. */
export function tooManyPixels({ width, height }: PictureHeader, pixelsMax: number): string | null {
  if (width * height <= pixelsMax) return null
  return `has ${width} x ${height} pixels, of at most ${pixelsMax} (HEARTH_MAX_IMAGE_PIXELS); scale it down.`
}
