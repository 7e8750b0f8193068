/**
 * POST /graphql: one operation in, its result out, or a stream of server-sent events for a subscription. This is the busiest door;
 * it reads and writes Node's own requests and leaves everything that has to do with GraphQL to the engine.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { callerOf } from '../caller.ts'
import type { Engine } from '../graphql/engine.ts'
import { answerJson, answerProblem } from './answers.ts'
import { readBody } from './body.ts'
import type { EventStreams } from './event-streams.ts'
import { acceptsEventStream, isJsonSent, plainJson, type ResponseType, responseType } from './media-types.ts'
import { readOperation } from './operation-request.ts'

export interface PostDoor {
  readonly engine: Engine
  readonly streams: EventStreams
  readonly bodyBytesMax: number
}

export async function answerPost(door: PostDoor, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { accept, 'content-type': contentType, 'content-encoding': encoding } = request.headers
  if (!isJsonSent(contentType)) return refuse(response, 415, 'Send application/json in UTF-8.')
  if (encoding !== undefined && encoding !== 'identity') return refuse(response, 415, 'Send the body uncompressed.')

  const body = await readBody(request, door.bodyBytesMax)
  if (!body) return tooLarge(response, door.bodyBytesMax)
  const asked = readOperation(body)
  if (typeof asked === 'string') return refuse(response, 400, asked)

  const prepared = door.engine.prepare(asked, callerOf(request))
  const type = responseType(accept)
  const isStream = acceptsEventStream(accept) && (prepared.kind === 'subscription' || !type)
  if (!isStream && prepared.kind === 'subscription')
    return refuse(response, 406, 'A subscription needs accept: text/event-stream, or the WebSocket.')
  if (!isStream && !type) return refuse(response, 406, 'Accept application/json or application/graphql-response+json.')

  const result = prepared.kind === 'refused' ? { errors: prepared.errors } : await prepared.run()
  if (isStream || 'next' in result) return door.streams.answer(response, result)
  answerJson(response, statusOf(result, type ?? plainJson), type ?? plainJson, result)
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
function tooLarge(response: ServerResponse, bytesMax: number): void {
  response.setHeader('connection', 'close')
  refuse(response, 413, `The body is larger than ${bytesMax} bytes.`)
}
