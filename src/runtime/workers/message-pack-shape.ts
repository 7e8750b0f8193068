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
  while (due > 0) {
    const leftBytes = bytes.length - at
    if (due > leftBytes) return `${due} more values are announced, and ${Math.max(0, leftBytes)} bytes are left`
    const code = bytes[at] ?? 0
    due -= 1
    at += 1
    if (code <= fixedIntegerEnd || code >= negativeIntegerStart) continue
    if (code < fixedListStart) due += 2 * (code & 0x0f)
    else if (code < fixedTextStart) due += code & 0x0f
    else if (code < nilCode) at += code & 0x1f
    else {
      const form = forms[code - nilCode]
      if (form === undefined)
        return `the code 0x${code.toString(16)} stands for no nil, flag, number, text, bytes, list or map`
      const count = bigEndian(bytes, at, form.lengthBytes)
      at += form.lengthBytes + form.fixedBytes + count * form.bytesEach
      due += count * form.valuesEach
    }
  }
  return at > bytes.length ? 'it ends within a value' : null
}

const fixedIntegerEnd = 0x7f
const fixedListStart = 0x90
const fixedTextStart = 0xa0
const nilCode = 0xc0
const negativeIntegerStart = 0xe0

/** What follows a code: the bytes of a count, fixed ones, and so many bytes or values for each that is counted. */
interface Form {
  readonly lengthBytes: number
  readonly fixedBytes: number
  readonly bytesEach: number
  readonly valuesEach: number
}
const fixed = (fixedBytes: number): Form => ({ lengthBytes: 0, fixedBytes, bytesEach: 0, valuesEach: 0 })
const text = (lengthBytes: number): Form => ({ lengthBytes, fixedBytes: 0, bytesEach: 1, valuesEach: 0 })
const values = (lengthBytes: number, valuesEach: number): Form => ({
  lengthBytes,
  fixedBytes: 0,
  bytesEach: 0,
  valuesEach,
})

/** Of the codes from 0xc0 to 0xdf; undefined = never used, or an extension. */
const forms: readonly (Form | undefined)[] = [
  [fixed(0), undefined, fixed(0), fixed(0)], // nil, never used, false, true
  [text(1), text(2), text(4)], // bytes
  [undefined, undefined, undefined],
  [fixed(4), fixed(8)], // floating point
  [fixed(1), fixed(2), fixed(4), fixed(8)], // unsigned
  [fixed(1), fixed(2), fixed(4), fixed(8)], // signed
  [undefined, undefined, undefined, undefined, undefined],
  [text(1), text(2), text(4)],
  [values(2, 1), values(4, 1)], // lists
  [values(2, 2), values(4, 2)], // maps
].flat()

function bigEndian(bytes: Uint8Array, at: number, length: number): number {
  let number = 0
  for (let index = at; index < at + length; index += 1) number = number * 256 + (bytes[index] ?? 0)
  return number
}
