/**
 * The header Range, RFC 9110 section 14: one range of bytes. Several at once, other units and what is malformed are ignored, as the RFC
 * allows; then the whole is sent.
 */

/** Inclusive, as Content-Range has it. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

const oneRange = /^bytes=\s*(\d{0,16})\s*-\s*(\d{0,16})\s*$/i

/** Null: the whole is to be sent. */
export function readByteRange(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | null {
  const [, from = '', to = ''] = oneRange.exec(header ?? '') ?? []
  if (from === '' && to === '') return null
  if (from === '') return lastBytes(Number(to), sizeBytes)
  const first = Number(from)
  const last = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1)
  if (to !== '' && Number(to) < first) return null
  return first < sizeBytes ? { first, last } : 'unsatisfiable'
}

/** `bytes=-500`; more than there is means everything. */
function lastBytes(count: number, sizeBytes: number): ByteRange | 'unsatisfiable' {
  if (count === 0 || sizeBytes === 0) return 'unsatisfiable'
  return { first: Math.max(0, sizeBytes - count), last: sizeBytes - 1 }
}
