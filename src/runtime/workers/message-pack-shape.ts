/**
 * Looks through MessagePack before it is decoded. A decoder believes what a list says of its length and makes room for it: a few bytes of lists within
 * lists could take all memory. And it knows extensions (dates, references to values that came before) that this protocol has no use for: with references
 * a few bytes say a value that nobody comes to the end of.
 */

/** Why these bytes are not to be decoded, as a clause; null = they may be. What stands behind the first value is not looked at. */
export function flawOf(bytes: Uint8Array): string | null {
  let at = 0
  /** Values that must still come: each takes a byte at least. */
  let due = 1
  for (; due > 0; due -= 1) {
    const code = bytes[at]
    if (code === undefined) return tooFew(due, 0)
    at += 1
    // Most values by far: a table, because what a worker streams comes by the ten thousand.
    const plainBytes = bytesOfPlain[code] as number
    if (plainBytes !== notPlain) {
      at += plainBytes
      continue
    }
    const form = forms.get(code)
    if (form === undefined)
      return `the code 0x${code.toString(16)} stands for no nil, flag, number, text, bytes, list or map`
    const count = form.lengthBytes === 0 ? code & 0x0f : bigEndian(bytes, at, form.lengthBytes)
    at += form.lengthBytes + count * form.bytesEach
    due += count * form.valuesEach
    const leftBytes = Math.max(0, bytes.length - at)
    if (due - 1 > leftBytes) return tooFew(due - 1, leftBytes)
  }
  return at > bytes.length ? 'it ends within a value' : null
}

function tooFew(due: number, leftBytes: number): string {
  return `${due} more values are announced, and ${leftBytes} bytes are left`
}

const notPlain = 255
/** By code: bytes that follow those of a fixed size; `notPlain` for the others. */
const bytesOfPlain = new Uint8Array(256).fill(notPlain)
bytesOfPlain.fill(0, 0x00, 0x80) // small integers
for (let code = 0xa0; code < 0xc0; code += 1) bytesOfPlain[code] = code & 0x1f // short texts
for (const nilOrFlag of [0xc0, 0xc2, 0xc3]) bytesOfPlain[nilOrFlag] = 0
bytesOfPlain.set([4, 8], 0xca) // floating point
bytesOfPlain.set([1, 2, 4, 8, 1, 2, 4, 8], 0xcc) // unsigned, signed
bytesOfPlain.fill(0, 0xe0) // small negative integers

/** The bytes of a count (none: it is in the code), and so many bytes or values for each that is counted. */
interface Form {
  readonly lengthBytes: number
  readonly bytesEach: number
  readonly valuesEach: number
}
const text = (lengthBytes: number): Form => ({ lengthBytes, bytesEach: 1, valuesEach: 0 })
const list = (lengthBytes: number): Form => ({ lengthBytes, bytesEach: 0, valuesEach: 1 })
const map = (lengthBytes: number): Form => ({ lengthBytes, bytesEach: 0, valuesEach: 2 })

/** By code; those of neither table are extensions, or never used. */
const forms: ReadonlyMap<number, Form> = new Map([
  ...Array.from({ length: 16 }, (_, count): [number, Form] => [0x80 + count, map(0)]),
  ...Array.from({ length: 16 }, (_, count): [number, Form] => [0x90 + count, list(0)]),
  [0xc4, text(1)],
  [0xc5, text(2)],
  [0xc6, text(4)],
  [0xd9, text(1)],
  [0xda, text(2)],
  [0xdb, text(4)],
  [0xdc, list(2)],
  [0xdd, list(4)],
  [0xde, map(2)],
  [0xdf, map(4)],
])

function bigEndian(bytes: Uint8Array, at: number, length: number): number {
  let number = 0
  for (let index = at; index < at + length; index += 1) number = number * 256 + (bytes[index] ?? 0)
  return number
}
