/** Whether a file that is uploaded is what it says it is, as far as its first bytes tell. */
import { essenceOf } from './file-names.ts'
import { isPictureType, pictureTypeOf, signatureBytes } from './pictures/picture-header.ts'

/** Why a file is not taken. */
export class UploadRefused {
  readonly kind = 'UploadRefused'
  readonly reason: 'too_large' | 'type' | 'content' | 'digest'
  readonly message: string
  constructor(reason: UploadRefused['reason'], message: string) {
    this.reason = reason
    this.message = message
  }
}

/** On its way through the file writer, which cleans up. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly answer: UploadRefused
  constructor(reason: UploadRefused['reason'], message: string) {
    super(message)
    this.answer = new UploadRefused(reason, message)
  }
}

/** Media types are compared without regard to case; parameters stay as they are. */
export function normalised(mimeType: string): string {
  const essence = essenceOf(mimeType)
  return isPictureType(essence) ? essence : essence + mimeType.trim().slice(essence.length)
}

/** What says that it is a picture must begin like one; what says that it is text must not hold zeros. */
export function checkSignature(declared: string, start: Uint8Array): void {
  const found = pictureTypeOf(start)
  if (isPictureType(declared) && found !== declared)
    throw new Refusal(
      'type',
      `The Content-Type is ${declared}, but the file is ${found ?? 'no picture that is known here'}.`,
    )
  const isText = declared.startsWith('text/') || declared === 'application/json'
  if (isText && start.includes(0))
    throw new Refusal(
      'type',
      `The Content-Type is ${declared}, but the file is no text; send application/octet-stream.`,
    )
  if (declared === 'application/x-npy' && !Buffer.from(start.subarray(0, npyMark.length)).equals(npyMark))
    throw new Refusal('type', 'The Content-Type is application/x-npy, but the file does not begin with \\x93NUMPY.')
}
const npyMark = Buffer.from('\x93NUMPY', 'latin1')

/** The same pieces; `check` sees the first bytes before any of them is written. */
export async function* startChecked(
  source: AsyncIterable<Uint8Array>,
  check: (start: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  const first: Uint8Array[] = []
  let sizeBytes = 0
  let isChecked = false
  for await (const piece of source) {
    if (isChecked) {
      yield piece
      continue
    }
    // A copy, because a piece is its giver's again when the next is asked for.
    first.push(new Uint8Array(piece))
    sizeBytes += piece.byteLength
    if (sizeBytes < signatureBytes) continue
    const start = Buffer.concat(first)
    check(start)
    isChecked = true
    yield start
  }
  if (isChecked) return
  const whole = Buffer.concat(first)
  check(whole)
  if (whole.byteLength > 0) yield whole
}
