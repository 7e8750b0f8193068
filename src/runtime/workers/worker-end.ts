/** Why a worker ended: the cause that the scheduler reckons with, and a sentence for people. */
import type { WorkerExitCause } from '../../scheduler/events.ts'
import type { ProcessEnd } from './worker-process.ts'

export interface WorkerEnd {
  readonly cause: WorkerExitCause
  readonly detail: string
}

/** `truncation`: what was missing when its stream ended inside a frame. A process that was killed may well leave half a frame. */
export function nameEnd(end: ProcessEnd, saidHello: boolean, truncation: string | null): WorkerEnd {
  if (end.kind === 'never_started') return { cause: 'spawn_failed', detail: `It could not be started: ${end.reason}.` }
  const ended = end.kind === 'signalled' ? `was ended by ${end.signal}` : `exited with status ${end.status}`
  if (!saidHello) return { cause: 'spawn_failed', detail: `It ${ended} before it said hello.` }
  if (end.kind === 'signalled') return { cause: 'signal', detail: `It ${ended}.` }
  if (end.status === 0 && truncation !== null) return { cause: 'protocol_error', detail: truncation }
  return { cause: 'exit_code', detail: `It ${ended} without being asked.` }
}
