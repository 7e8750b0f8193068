/** Who asks for pictures, and in which ways they are made for them. */
export type Way = 'continuous' | 'alone' | 'batches'

export interface Crowd {
  readonly key: string
  readonly who: string
  /** Each asks for the next when it has the last; null: strangers, who ask when they like. */
  readonly callers: number | null
  /** Of each round. */
  readonly pictures: number
  readonly ways: readonly Way[]
}

/** For one caller a batch of whole jobs is one picture, so there is nothing more to compare. */
export const crowds: readonly Crowd[] = [
  { key: '1', who: '1 caller', callers: 1, pictures: 6, ways: ['continuous', 'alone'] },
  { key: '4', who: '4 callers', callers: 4, pictures: 16, ways: ['continuous', 'alone', 'batches'] },
  { key: '8', who: '8 callers', callers: 8, pictures: 20, ways: ['continuous', 'alone', 'batches'] },
  { key: 'random', who: 'random arrivals', callers: null, pictures: 20, ways: ['continuous', 'alone', 'batches'] },
]
