import type { IncomingMessage, ServerResponse } from 'node:http'

/** What a page may read beside what it always may. */
const exposedHeaders = 'accept-ranges, content-disposition, content-range, etag, retry-after'
const preflightMaxAgeSeconds = '600'

/** The gate has let the origin in; here its browser is told so. Does nothing for requests that are not a page's. */
export function allowOrigin(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.origin === undefined) return
  response.setHeader('access-control-allow-origin', request.headers.origin)
  response.setHeader('vary', 'Origin')
  response.setHeader('access-control-expose-headers', exposedHeaders)
}

export function isPreflight(request: IncomingMessage): boolean {
  return request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
}

export function answerPreflight(response: ServerResponse): void {
  response.setHeader('access-control-allow-methods', 'GET, HEAD, POST, PUT')
  response.setHeader(
    'access-control-allow-headers',
    'content-type, accept, authorization, content-digest, x-content-sha256, range, if-range, if-none-match',
  )
  response.setHeader('access-control-max-age', preflightMaxAgeSeconds)
  response.writeHead(204).end()
}
