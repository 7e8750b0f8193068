/** How many rows a page holds; the limit of an operation's cost reckons with the same numbers. */
import { badUserInput } from './request-error.ts'

export const pageSizeDefault = 20
export const pageSizeMax = 100

export function pageSize(first: number | null | undefined): number {
  if (first === null || first === undefined) return pageSizeDefault
  if (first < 0) throw badUserInput('first', 'must not be negative.')
  return Math.min(first, pageSizeMax)
}
