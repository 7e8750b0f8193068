import { GraphQLError } from 'graphql'

/** The error as one that the sender can act upon, unless it already says what it is. */
export function badInput(error: GraphQLError): GraphQLError {
  if (typeof error.extensions['code'] === 'string') return error
  return new GraphQLError(shortened(error.message), {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    path: error.path ?? null,
    extensions: { ...error.extensions, code: 'BAD_USER_INPUT' },
  })
}

const messageLengthMax = 1000

/** GraphQL's messages quote what was sent, which may be megabytes. */
function shortened(message: string): string {
  return message.length <= messageLengthMax ? message : `${message.slice(0, messageLengthMax)} ... (shortened)`
}
