/** About how much memory an event takes: what the bounds on events in memory count. */
import type { JobEvent } from '../records.ts'

/** The objects around the content. */
const eventBytes = 300
const valueBytes = 16

export function bytesOf({ body }: JobEvent): number {
  if (body.kind === 'text') return eventBytes + 2 * body.text.length
  if (body.kind === 'values') return eventBytes + bytesOfValue(body.values)
  return eventBytes
}

function bytesOfValue(value: unknown): number {
  if (typeof value === 'string') return valueBytes + 2 * value.length
  if (typeof value !== 'object' || value === null) return valueBytes
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  return members.reduce<number>((sum, member) => sum + bytesOfValue(member), valueBytes)
}
