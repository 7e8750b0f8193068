import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import type { Logger } from 'pino'
import { badInput } from './bad-input.ts'

/**
 * What a client may see of an error. Those raised as GraphQL errors were meant for it. Anything else is a fault of ours: it is
 * logged in full under an id, and the id is all that is told.
 */
export function maskErrors(logger: Logger): (error: unknown) => GraphQLError {
  return (error) => {
    if (error instanceof GraphQLError) {
      if (isMeant(error)) return badInput(error)
      return hidden(error.originalError, error)
    }
    return hidden(error, undefined)
  }

  function hidden(cause: unknown, at: GraphQLError | undefined): GraphQLError {
    const errorId = randomUUID()
    logger.error({ err: cause, errorId, path: at?.path }, 'An operation failed unexpectedly.')
    return new GraphQLError(`Something failed here; the server's log tells more under ${errorId}.`, {
      nodes: at?.nodes ?? null,
      path: at?.path ?? null,
      extensions: { code: 'INTERNAL_SERVER_ERROR', errorId },
    })
  }
}

/** Executors wrap what a resolver throws; only a GraphQL error all the way down was raised on purpose. */
function isMeant(error: GraphQLError): boolean {
  const { originalError } = error
  return !originalError || (originalError instanceof GraphQLError && isMeant(originalError))
}
