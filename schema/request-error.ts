/** Failures of queries and subscriptions (and of requests as a whole): GraphQL errors with one of the codes that clients may rely on. */
import { GraphQLError } from 'graphql'

export type RequestErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'BAD_USER_INPUT'
  | 'CURSOR_EXPIRED'
  | 'RATE_LIMITED'
  | 'OVERLOADED'

export function requestError(code: RequestErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } })
}

/** `argument` is the path of what is wrong: `first`, `filter.sessionId`. */
export function badUserInput(argument: string, message: string): GraphQLError {
  return new GraphQLError(`${argument}: ${message}`, { extensions: { code: 'BAD_USER_INPUT', argument } })
}
