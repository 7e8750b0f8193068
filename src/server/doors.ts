/**
 * The doors: one listening address for GraphQL over HTTP, server-sent events and WebSocket, GraphiQL, and the health of the server.
 * Everything with a size or a number has a limit here.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import type { App } from '../app/app.ts'
import type { Config } from '../config/config.ts'
import { Gate } from './gate/gate.ts'
import { isLoopback } from './gate/loopback.ts'
import { GraphiQLPage } from './graphiql/page.ts'
import { createEngine } from './graphql/engine.ts'
import type { Problem } from './http/answers.ts'
import { EventStreams } from './http/event-streams.ts'
import { pathOf, routeRequests } from './http/router.ts'
import { refuseUpgrade } from './websocket/refuse-upgrade.ts'
import { WebSocketDoor } from './websocket/websocket-door.ts'

export interface Doors {
  /** Resolves with the address of the API once it can be called. */
  listen(): Promise<{ readonly url: string }>
  /**
   * Takes nothing new, ends streams so that clients come back, and lets running requests end. Resolves after at most `graceMs`,
   * whatever peers do.
   */
  close(graceMs: number): Promise<void>
}

/** How much later than its time a connection may be found to be late. */
const lateMsMax = 5000
/** For the body of any request but an upload, which may last as long as it moves. */
const bodyMsMax = 60_000
/** For the rest of a body after a refusal. */
const discardMsMax = 5000
const keepAliveTimeoutMs = 65_000

export function createDoors({ app, config, logger }: { app: App; config: Config; logger: Logger }): Doors {
  const gate = new Gate(config)
  const engine = createEngine({ app, config, logger })
  const streams = new EventStreams({
    keepAliveMs: config.HEARTH_KEEP_ALIVE_MS,
    stalledMsMax: config.HEARTH_STALLED_CLIENT_MS,
  })
  const webSockets = new WebSocketDoor({
    engine,
    logger,
    frameBytesMax: config.HEARTH_MAX_BODY_BYTES,
    operationsPerSocketMax: config.HEARTH_MAX_SUBSCRIPTIONS_PER_SOCKET,
    keepAliveMs: config.HEARTH_KEEP_ALIVE_MS,
  })
  let isClosing = false
  /** After an upgrade a connection is no longer the HTTP server's to close, though it waits for it. */
  const upgraded = new Set<Duplex>()

  const answer = routeRequests({
    app,
    engine,
    gate,
    logger,
    streams,
    bodyBytesMax: config.HEARTH_MAX_BODY_BYTES,
    bodyMsMax,
    discardMsMax: Math.min(discardMsMax, config.HEARTH_STALLED_CLIENT_MS),
    stalledMsMax: config.HEARTH_STALLED_CLIENT_MS,
    hasAdaptivePieces: !config.HEARTH_WITHOUT.includes('adaptive-chunks'),
    graphiql: config.HEARTH_GRAPHIQL === 'on' ? new GraphiQLPage() : null,
    isClosing: () => isClosing,
  })
  const server = createServer(
    {
      headersTimeout: config.HEARTH_HEADERS_TIMEOUT_MS,
      // Node looks only twice a minute by itself.
      connectionsCheckingInterval: Math.min(lateMsMax, config.HEARTH_HEADERS_TIMEOUT_MS),
      requestTimeout: 0,
      keepAliveTimeout: keepAliveTimeoutMs,
    },
    answer,
  )
  // An upload is given leave to send its body only when it is known to be wanted.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (pathOf(request) !== '/uploads') response.writeContinue()
    answer(request, response)
  })
  server.maxConnections = config.HEARTH_MAX_CONNECTIONS
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    upgraded.add(stream)
    stream.once('close', () => upgraded.delete(stream))
    const refusal = isClosing ? closingDown : upgradeRefusal(gate, request)
    if (refusal) refuseUpgrade(stream, refusal)
    else webSockets.accept(request, stream, head)
  })

  return {
    async listen() {
      if (!isLoopback(config.HEARTH_HOST)) throw new NotLoopback(config.HEARTH_HOST)
      await listening(server, config)
      // Such as too many open files: that connection is lost, and the others go on.
      server.on('error', (error) => logger.error({ err: error }, 'A connection could not be accepted.'))
      const { port } = server.address() as AddressInfo
      const host = config.HEARTH_HOST.includes(':') ? `[${config.HEARTH_HOST}]` : config.HEARTH_HOST
      return { url: `http://${host}:${port}/graphql` }
    },
    async close(graceMs) {
      isClosing = true
      // Connections whose request is still running shall not idle afterwards.
      server.keepAliveTimeout = 1
      server.keepAliveTimeoutBuffer = 0
      const allClosed = new Promise((resolve) => server.close(resolve))
      streams.closeAll()
      const late = Promise.withResolvers<void>()
      const deadline = setTimeout(() => {
        for (const stream of upgraded) stream.destroy()
        server.closeAllConnections()
        late.resolve()
      }, graceMs)
      await Promise.race([Promise.all([webSockets.goAway(), allClosed]), late.promise])
      clearTimeout(deadline)
    },
  }
}

class NotLoopback extends Error {
  override readonly name = 'NotLoopback'
  constructor(host: string) {
    super(
      `HEARTH_HOST=${host} could be reached from other machines, and this version cannot tell who calls. Use 127.0.0.1, and put a proxy that checks credentials in front.`,
    )
  }
}

const closingDown: Problem = { status: 503, code: 'OVERLOADED', message: 'The server is closing; come back later.' }

function upgradeRefusal(gate: Gate, request: IncomingMessage): Problem | null {
  if (pathOf(request) !== '/graphql') {
    return { status: 404, code: 'NOT_FOUND', message: 'The WebSocket is at /graphql.' }
  }
  return gate.refusalOf(request)
}

function listening(server: Server, config: Config): Promise<void> {
  const { HEARTH_HOST, HEARTH_PORT } = config
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) => reject(listenError(error, config))
    server.once('error', refuse)
    server.listen(HEARTH_PORT, HEARTH_HOST, () => {
      server.off('error', refuse)
      resolve()
    })
  })
}

function listenError(error: Error, { HEARTH_HOST, HEARTH_PORT }: Config): Error {
  if (!('code' in error) || error.code !== 'EADDRINUSE') return error
  return new Error(
    `${HEARTH_HOST}:${HEARTH_PORT} is taken by another program. Set HEARTH_PORT to another port; 0 takes any free one.`,
  )
}
