/** Every HTTP request passes here: the gate first, then its path. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { App } from '../../app/app.ts'
import { allowOrigin, answerPreflight, isPreflight } from '../gate/cors.ts'
import type { Gate } from '../gate/gate.ts'
import type { GraphiQLPage } from '../graphiql/page.ts'
import { answerProblem } from './answers.ts'
import { answerArtifact } from './artifacts.ts'
import { discardBody, limitBodyTime } from './body-deadline.ts'
import { answerGet, answerPost, type HttpDoor } from './graphql-over-http.ts'
import { answerHealth, answerReadiness } from './health.ts'
import { answerUpload } from './uploads.ts'

export interface Router extends HttpDoor {
  readonly app: App
  readonly gate: Gate
  readonly logger: Logger
  /** Null = switched off. */
  readonly graphiql: GraphiQLPage | null
  /** How long an upload, or the reader of an artifact, may not move. */
  readonly stalledMsMax: number
  /** Artifacts are sent in pieces as large as their reader takes at once. */
  readonly hasAdaptivePieces: boolean
  /** How long the body of any other request may take. */
  readonly bodyMsMax: number
  /** How long the rest of a body is thrown away after an answer that did not wait for it. */
  readonly discardMsMax: number
  readonly isClosing: () => boolean
}

export function routeRequests(router: Router): RequestListener {
  return (request, response) => {
    const refusal = router.gate.refusalOf(request)
    if (refusal) {
      discardBody(request, router.discardMsMax)
      return answerProblem(response, refusal)
    }
    allowOrigin(request, response)
    if (isPreflight(request)) {
      discardBody(request, router.discardMsMax)
      return answerPreflight(response)
    }
    route(router, request, response)
  }
}

function route(router: Router, request: IncomingMessage, response: ServerResponse): void {
  const path = pathOf(request)
  if (path === '/uploads') return run(router, response, answerUpload(router, request, response))
  if (path.startsWith('/artifacts/')) {
    discardBody(request, router.discardMsMax)
    return run(router, response, answerArtifact(router, request, response))
  }
  limitBodyTime(request, router.bodyMsMax)
  switch (path) {
    case '/graphql':
      return routeGraphql(router, request, response)
    case '/healthz':
      return answerHealth(response, router.app)
    case '/readyz':
      return answerReadiness(response, router.app, router.isClosing())
    default:
      return answerProblem(response, {
        status: 404,
        code: 'NOT_FOUND',
        message: `There is nothing at ${path}; the API is at /graphql.`,
      })
  }
}

function routeGraphql(router: Router, request: IncomingMessage, response: ServerResponse): void {
  const handler = handlerOf(router, request)
  if (handler) {
    run(router, response, handler(request, response))
  } else {
    response.setHeader('allow', 'GET, POST')
    answerProblem(response, { status: 405, code: 'BAD_USER_INPUT', message: 'Use POST.' })
  }
}

function handlerOf(router: Router, { method, headers }: IncomingMessage): Handler | null {
  if (method === 'POST') return (request, response) => answerPost(router, request, response)
  if (method !== 'GET') return null
  const { graphiql } = router
  const isBrowser = headers.accept?.includes('text/html')
  if (isBrowser && graphiql) return (request, response) => graphiql.answer(request, response)
  return (request, response) => answerGet(router, request, response)
}
type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

function run(router: Router, response: ServerResponse, answering: Promise<void>): void {
  answering.catch((error: unknown) => endFailed(router, response, error))
}

/** A client that went away is no failure; anything else here is ours. */
function endFailed({ logger, discardMsMax }: Router, response: ServerResponse, error: unknown): void {
  if (response.destroyed) return
  logger.error({ err: error }, 'A request failed unexpectedly.')
  discardBody(response.req, discardMsMax)
  if (response.headersSent) response.destroy()
  else
    answerProblem(response, {
      status: 500,
      code: 'INTERNAL_SERVER_ERROR',
      message: 'The request failed here; the log tells why.',
    })
}

export function pathOf({ url = '' }: IncomingMessage): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}
