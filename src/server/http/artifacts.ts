/**
 * GET and HEAD /artifacts/...: the files that jobs have made and callers have uploaded. The address is the credential. A file never changes, so it
 * may be kept by whoever has it; a browser that shows it gets no chance to run it.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { App } from '../../app/app.ts'
import { fileNameOf } from '../../app/file-names.ts'
import type { ArtifactAddress } from '../../app/open-artifact.ts'
import { answerProblem } from './answers.ts'
import { type ByteRange, readByteRange } from './byte-range.ts'
import { type SendLimits, sendFile } from './send-file.ts'

export interface ArtifactDoor extends SendLimits {
  readonly app: Pick<App, 'openArtifact'>
}

const addressForm = /^\/artifacts\/(\d{1,15})(?:\/[^/]*)?\?(.*)$/
const immutable = 'private, max-age=31536000, immutable'

export async function answerArtifact(
  door: ArtifactDoor,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return answerProblem(response, {
      status: 405,
      code: 'BAD_USER_INPUT',
      message: 'Artifacts are read with GET or HEAD.',
    })
  }
  const address = readAddress(request.url ?? '')
  const opened = address === null ? 'wrong' : await door.app.openArtifact(address)
  if (typeof opened === 'string') return answerProblem(response, problems[opened])
  const { record, file } = opened
  const answer = answerFor(request, { etag: `"${record.sha256}"`, sizeBytes: record.sizeBytes })
  response.writeHead(answer.status, {
    ...(answer.status === 304 || answer.status === 416
      ? {}
      : { 'content-type': record.mimeType, 'content-length': lengthOf(answer.range) }),
    'content-disposition': `inline; filename="${fileNameOf(record)}"`,
    'last-modified': new Date(record.createdAt).toUTCString(),
    ...alwaysSent,
    ...answer.headers,
  })
  if (request.method === 'HEAD' || answer.range === null || answer.range.last < 0 || response.destroyed) {
    response.end()
    return file.close()
  }
  await sendFile(file, answer.range, response, door)
}

const problems = {
  wrong: {
    status: 403,
    code: 'FORBIDDEN',
    message: "This address is not signed by this server. Ask the API for the artifact's `url`.",
  },
  expired: {
    status: 403,
    code: 'FORBIDDEN',
    message: "This address has expired. Ask the API for the artifact's `url` again.",
  },
  gone: {
    status: 404,
    code: 'NOT_FOUND',
    message: 'This file is no longer kept: artifacts are deleted some time after their last use.',
  },
} as const

/** What a browser is told whatever is sent: no guessing of types, no scripts, and any page with the address may show it. */
const alwaysSent = {
  'accept-ranges': 'bytes',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:",
  'cross-origin-resource-policy': 'cross-origin',
  'cache-control': immutable,
}

function readAddress(url: string): ArtifactAddress | null {
  const [, id, query] = addressForm.exec(url) ?? []
  const given = new URLSearchParams(query)
  const expires = given.get('expires') ?? ''
  const signature = given.get('signature')
  if (id === undefined || !/^\d{1,12}$/.test(expires) || signature === null) return null
  return { id: Number(id) as ArtifactAddress['id'], expires: Number(expires), signature }
}

interface Answer {
  readonly status: 200 | 206 | 304 | 416
  readonly headers: OutgoingHttpHeaders
  /** What is sent of the file; null = nothing. */
  readonly range: ByteRange | null
}

/** By the conditions of RFC 9110, in their order: If-None-Match before Range, which holds only if If-Range agrees. */
function answerFor(
  { headers, method }: IncomingMessage,
  { etag, sizeBytes }: { readonly etag: string; readonly sizeBytes: number },
): Answer {
  if (isAmong(headers['if-none-match'], etag)) return { status: 304, headers: { etag }, range: null }
  const ifRange = headers['if-range']
  const isRangeMeant = method === 'GET' && (ifRange === undefined || ifRange === etag)
  const range = isRangeMeant ? readByteRange(headers.range, sizeBytes) : null
  if (range === 'unsatisfiable')
    return { status: 416, headers: { etag, 'content-range': `bytes */${sizeBytes}`, 'content-length': 0 }, range: null }
  if (range === null) return { status: 200, headers: { etag }, range: { first: 0, last: sizeBytes - 1 } }
  const contentRange = `bytes ${range.first}-${range.last}/${sizeBytes}`
  return { status: 206, headers: { etag, 'content-range': contentRange }, range }
}

/**
 * If-None-Match by weak comparison. A request's `cache-control: no-cache`, which browsers' fetch adds to any condition, is about caches on the way
 * and changes nothing here.
 */
function isAmong(header: string | undefined, etag: string): boolean {
  const given = header?.split(',').map((one) => one.trim().replace(/^W\//, '')) ?? []
  return given.includes(etag) || given.includes('*')
}

function lengthOf(range: ByteRange | null): number {
  return range === null ? 0 : range.last - range.first + 1
}
