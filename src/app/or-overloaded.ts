import { StoreOverloaded } from '../store/store.ts'
import { Overloaded } from './errors.ts'

/** A write that the store refuses because it has too much to do, or cannot write at all, is an answer to the caller and no bug. */
export async function orOverloaded<Result>(writing: Promise<Result>): Promise<Result | Overloaded> {
  try {
    return await writing
  } catch (error) {
    if (error instanceof StoreOverloaded) return new Overloaded(error.limit, error.retryAfterMs, error.message)
    throw error
  }
}
