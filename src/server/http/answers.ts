/** Answers in JSON. Failures have GraphQL's shape on every path, so that a client needs one way to read them. */
import type { ServerResponse } from 'node:http'

export interface Problem {
  readonly status: number
  readonly code: string
  readonly message: string
}

export function answerJson(response: ServerResponse, status: number, mediaType: string, value: unknown): void {
  const body = JSON.stringify(value)
  response.writeHead(status, {
    'content-type': `${mediaType}; charset=utf-8`,
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

export function answerProblem(response: ServerResponse, { status, code, message }: Problem): void {
  answerJson(response, status, 'application/json', { errors: [{ message, extensions: { code } }] })
}
