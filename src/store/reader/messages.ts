/** What main thread and reader thread say to each other: all questions of a tick in one message, the answers in another. */
import type { QueryName } from './queries.ts'

export type ToReader = readonly Question[] | 'close'
export interface Question {
  readonly id: number
  readonly query: QueryName
  readonly parameters: readonly unknown[]
}

export type Answer = { readonly id: number } & ({ readonly rows: unknown } | { readonly error: string })
export type FromReader = readonly Answer[]
