/**
 * /graphql over HTTP: one operation in, its result out, or a stream of server-sent events for a subscription. This is the busiest door;
 * it reads and writes Node's own requests and leaves everything that has to do with GraphQL to the engine.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { callerOf } from '../caller.ts'
import type { Engine, OperationRequest, Prepared } from '../graphql/engine.ts'
import { answerJson, answerProblem } from './answers.ts'
import { readBody } from './body.ts'
import type { EventStreams } from './event-streams.ts'
import { acceptsEventStream, isJsonSent, plainJson, type ResponseType, responseType } from './media-types.ts'
import { readAddressParameters, readBodyParameters } from './operation-request.ts'

export interface HttpDoor {
  readonly engine: Engine
  readonly streams: EventStreams
  readonly bodyBytesMax: number
}

export async function answerPost(door: HttpDoor, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { 'content-type': contentType, 'content-encoding': encoding } = request.headers
  if (!isJsonSent(contentType)) return refuse(response, 415, 'Send application/json in UTF-8.')
  if (encoding !== undefined && encoding !== 'identity') return refuse(response, 415, 'Send the body uncompressed.')

  const body = await readBody(request, door.bodyBytesMax)
  if (!body) return refuseTooLarge(response, door.bodyBytesMax)
  const asked = readBodyParameters(body)
  if (typeof asked === 'string') return refuse(response, 400, asked)
  return answer(door, request, response, prepare(door, request, asked))
}

/** Reads only: a browser sends a GET without asking, and may send it again. */
export async function answerGet(door: HttpDoor, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = readAddressParameters(request.url ?? '')
  if (typeof asked === 'string') return refuse(response, 400, asked)
  const prepared = prepare(door, request, asked)
  if (prepared.kind !== 'mutation') return answer(door, request, response, prepared)
  response.setHeader('allow', 'POST')
  refuse(response, 405, 'Mutations need POST.')
}

function prepare({ engine }: HttpDoor, request: IncomingMessage, asked: OperationRequest): Prepared {
  return engine.prepare(asked, callerOf(request))
}

async function answer(
  door: HttpDoor,
  request: IncomingMessage,
  response: ServerResponse,
  prepared: Prepared,
): Promise<void> {
  const { accept } = request.headers
  const type = responseType(accept)
  const isSubscription = prepared.kind === 'subscription'
  const isStream = acceptsEventStream(accept) && (isSubscription || !type)
  if (isSubscription && !isStream)
    return refuse(response, 406, 'A subscription needs accept: text/event-stream, or the WebSocket.')
  if (!type && !isStream) return refuse(response, 406, 'Accept application/json or application/graphql-response+json.')

  const outcome = prepared.kind === 'refused' ? { errors: prepared.errors } : await prepared.run()
  if (isStream || 'next' in outcome) return door.streams.answer(response, outcome)
  answerJson(response, statusOf(outcome, type ?? plainJson), type ?? plainJson, outcome)
}

/** Plain JSON: 200 whenever GraphQL was spoken. The newer type: a request without data went wrong. */
function statusOf({ data, errors }: ExecutionResult, type: ResponseType): number {
  if (data !== undefined || type === plainJson) return 200
  return errors?.some(({ extensions }) => extensions['code'] === 'INTERNAL_SERVER_ERROR') ? 500 : 400
}

function refuse(response: ServerResponse, status: number, message: string): void {
  answerProblem(response, { status, code: 'BAD_USER_INPUT', message })
}

/** The rest of the body is not read, so the connection ends with the answer. */
function refuseTooLarge(response: ServerResponse, bytesMax: number): void {
  response.setHeader('connection', 'close')
  refuse(response, 413, `The body is larger than ${bytesMax} bytes.`)
}
