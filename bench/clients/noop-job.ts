/** Jobs of the no-op model: the programs's parameters say how long it takes and what it emits. */
import type { SubmitJobInput } from './jobs.ts'

export interface NoopParameters {
  /** Comes back as the output; 0 if not given. */
  readonly value?: unknown
  /** Partial items to emit. */
  readonly items?: number
  readonly steps?: number
  /** Length of a step, milliseconds; and how much longer for each job that shares it. */
  readonly stepMs?: number
  readonly stepMsEach?: number
  /** Steps that never end: one sleeps, the other computes. */
  readonly hangAtStep?: number
  readonly spinAtStep?: number
}

export function noopJob(parameters: NoopParameters, rest: SubmitJobInput = {}): SubmitJobInput {
  return { model: 'noop', task: { program: { name: 'noop', parameters: { value: 0, ...parameters } } }, ...rest }
}
