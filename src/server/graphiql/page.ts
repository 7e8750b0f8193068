/**
 * GraphiQL as one page that needs no other file and no network: rendered, compressed and hashed once, when first asked for.
 * Its own Content-Security-Policy lets nothing be loaded from elsewhere, and its API calls go to this server only.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { readTabs, tourKey } from './tabs.ts'

const compress = promisify(gzip)

/** `host` has passed the gate. It is named because not every browser takes 'self' to include the WebSocket. */
function policyFor(host: string): string {
  return [
    "default-src 'none'",
    "script-src 'unsafe-inline' blob:",
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    `connect-src 'self' ws://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

interface Rendered {
  readonly html: string
  readonly gzipped: Buffer
  readonly etag: string
}

export class GraphiQLPage {
  #rendered: Promise<Rendered> | null = null

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#rendered ??= render()
    send(await this.#rendered, request, response)
  }
}

function send({ html, gzipped, etag }: Rendered, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('content-security-policy', policyFor(request.headers.host ?? ''))
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('cache-control', 'no-cache')
  response.setHeader('etag', etag)
  response.setHeader('vary', 'Accept-Encoding, Origin')
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end()
    return
  }
  response.setHeader('content-type', 'text/html; charset=utf-8')
  if (request.headers['accept-encoding']?.includes('gzip')) {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': gzipped.length }).end(gzipped)
  } else {
    response.writeHead(200).end(html)
  }
}

async function render(): Promise<Rendered> {
  const html = await graphiqlHtml()
  const etag = `"${createHash('sha256').update(html).digest('base64url')}"`
  return { html, gzipped: await compress(html), etag }
}

/**
 * GraphiQL's drag library leaves a shift on tabs that were there from the start, which its own style takes away only while a tab has no focus: the
 * first click would move the tab away from under the pointer.
 */
const steadyTabs = '<style>.graphiql-tab{transform:none!important}</style>'

/** The page of the package, opened with our tabs. The package is 9 MB of text, so it is loaded only when somebody looks. */
export async function graphiqlHtml(): Promise<string> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const html = renderGraphiQL({ title: 'Hearth GraphiQL', endpoint: '/graphql', subscriptionsProtocol: 'WS' })
  const [before, after] = splitAt(html, 'YogaGraphiQL.renderYogaGraphiQL(')
  const [target, rest] = splitAt(after, '{')
  const script = readFileSync(new URL('./open-tabs.js', import.meta.url), 'utf8').replace('export function', 'function')
  const tabs = `openTabs(${JSON.stringify(readTabs())}, ${JSON.stringify(tourKey)})`
  return `${before.replace('</head>', `${steadyTabs}</head>`)}\n${script}\nYogaGraphiQL.renderYogaGraphiQL(${target}{ defaultTabs: ${tabs}, ${rest}`
}

/** Around the last occurrence of `mark`. */
function splitAt(text: string, mark: string): readonly [string, string] {
  const index = text.lastIndexOf(mark)
  if (index === -1) throw new Error(`The GraphiQL package no longer contains ${JSON.stringify(mark)}.`)
  return [text.slice(0, index), text.slice(index + mark.length)]
}
