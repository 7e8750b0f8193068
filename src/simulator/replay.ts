/** A recorded life of the scheduler, lived again: the same events must give the same commands, to the byte. */
import { step } from '../scheduler/core.ts'
import type { Opening, RecordedStep } from '../scheduler/snapshot/recording.ts'
import { restore } from '../scheduler/snapshot/restore.ts'

export interface ReplayResult {
  readonly steps: number
  /** The first line that came out otherwise; null = none. Lines count from 1, the opening being the first. */
  readonly difference: {
    readonly line: number
    readonly event: string
    readonly recorded: string
    readonly replayed: string
  } | null
}

/** `lines` as `recordOpening` and `recordLine` write them; an incomplete last line, as a crash leaves it, is not counted. */
export function replay(lines: Iterable<string>): ReplayResult {
  let state: ReturnType<typeof restore> | null = null
  let line = 0
  let steps = 0
  for (const text of lines) {
    line += 1
    const parsed = parse(text)
    if (!parsed) break
    if ('snapshot' in parsed) {
      state = restore(parsed.snapshot)
      continue
    }
    if (!state) throw new Error('A recording begins with a snapshot.')
    const recorded = JSON.stringify(parsed.commands)
    const replayed = JSON.stringify(step(state, parsed.event, parsed.now))
    steps += 1
    if (recorded !== replayed)
      return { steps, difference: { line, event: JSON.stringify(parsed.event), recorded, replayed } }
  }
  return { steps, difference: null }
}

function parse(text: string): Opening | RecordedStep | null {
  if (text.trim() === '') return null
  try {
    const parsed: Opening | RecordedStep = JSON.parse(text)
    return parsed
  } catch {
    // A line that was being written when the process died.
    return null
  }
}
