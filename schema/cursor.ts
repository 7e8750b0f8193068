/** Cursors: opaque places in an order. A cursor of one list is refused by another. */
import { decodeOpaque, encodeOpaque } from './opaque.ts'
import { badUserInput } from './request-error.ts'

/** `event`: a place in the event log of a job; `change`: a place in the state changes of all jobs; the rest: rows by id. */
export type CursorKind = 'job' | 'session' | 'model' | 'version' | 'event' | 'change' | 'decision' | 'allocation'

export function encodeCursor(kind: CursorKind, position: number): string {
  return encodeOpaque(`cursor.${kind}`, position)
}

/** Throws BAD_USER_INPUT naming the argument; null when none was given. */
export function readCursor(kind: CursorKind, after: string | null | undefined): number | null {
  if (after === null || after === undefined) return null
  const position = decodeOpaque(after, `cursor.${kind}`)
  if (position === null) throw badUserInput('after', 'this is not a cursor of this list.')
  return position
}
