/** Subscriptions as a client gets them, the same over both doors: an async iterable of answers that ends with the stream. */
import type { GraphQLAnswer, Hearth } from './hearth.ts'

export type Transport = 'WebSocket' | 'SSE'
export const transports: readonly Transport[] = ['WebSocket', 'SSE']

export interface Operation {
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>>
}

const never = new AbortController().signal

/** Breaking off the loop, or `hangUp`, loses the connection: nothing is said to the server, as when a browser tab goes away. */
export function subscribe<Data>(
  hearth: Hearth,
  transport: Transport,
  operation: Operation,
  hangUp: AbortSignal = never,
): AsyncGenerator<GraphQLAnswer<Data>> {
  return transport === 'WebSocket'
    ? overWebSocket(hearth, operation, hangUp)
    : overEventStream(hearth, operation, hangUp)
}

/** A query or mutation over the WebSocket. */
export async function askOverWebSocket<Data>(hearth: Hearth, operation: Operation): Promise<GraphQLAnswer<Data>> {
  for await (const answer of overWebSocket<Data>(hearth, operation, never)) return answer
  throw new Error('The operation ended without an answer.')
}

/** A connection of its own, which ends with the operation. */
async function* overWebSocket<Data>(
  hearth: Hearth,
  operation: Operation,
  hangUp: AbortSignal,
): AsyncGenerator<GraphQLAnswer<Data>> {
  const client = hearth.socket()
  // `terminate` wakes the iterator below; `return()` would wait for its next answer.
  hangUp.addEventListener('abort', () => client.terminate())
  try {
    for await (const answer of client.iterate<Data>({ ...operation, variables: { ...operation.variables } })) {
      yield answer as GraphQLAnswer<Data>
    }
  } catch (error) {
    if (isGraphQLErrors(error)) yield { errors: error }
    else if (!hangUp.aborted) throw connectionLost(hearth, error)
  } finally {
    client.terminate()
    await client.dispose()
  }
}

/** What the client throws when a socket closes is an event, which tells little; the server's last words may tell more. */
function connectionLost(hearth: Hearth, error: unknown): Error {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : error
  return new Error(
    `The connection was lost (${String(code)}). The server's last words: ${hearth.log.slice(-5).join('\n')}`,
  )
}

/** What the client throws when the server refuses an operation as a whole. */
function isGraphQLErrors(error: unknown): error is NonNullable<GraphQLAnswer<never>['errors']> {
  return (
    Array.isArray(error) &&
    error.every((entry: unknown) => typeof entry === 'object' && entry !== null && 'message' in entry)
  )
}

async function* overEventStream<Data>(
  hearth: Hearth,
  operation: Operation,
  hangUp: AbortSignal,
): AsyncGenerator<GraphQLAnswer<Data>> {
  const connection = new AbortController()
  hangUp.addEventListener('abort', () => connection.abort())
  try {
    const response = await fetch(hearth.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify(operation),
      signal: connection.signal,
    })
    if (!response.body) throw new Error(`No body; status ${response.status}.`)
    for await (const { event, data } of serverSentEvents(response.body)) {
      if (event === 'complete') return
      if (event === 'next') yield JSON.parse(data) as GraphQLAnswer<Data>
    }
  } catch (error) {
    if (!hangUp.aborted) throw error
  } finally {
    connection.abort()
  }
}

export async function* serverSentEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ event: string; data: string }> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of body) {
    const blocks = (rest + decoder.decode(bytes, { stream: true })).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => splitOnce(line)))
      yield { event: fields.get('event') ?? 'message', data: fields.get('data') ?? '' }
    }
  }
}

/** `name: value`; a comment line has an empty name. */
function splitOnce(line: string): readonly [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trimStart()]
}
