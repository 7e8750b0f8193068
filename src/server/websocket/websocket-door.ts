/**
 * WS /graphql: the protocol graphql-transport-ws for queries, mutations and subscriptions. The second front door: it passes the same
 * gate, the same engine and the same limits as HTTP.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ExecutionArgs, GraphQLError } from 'graphql'
import { CloseCode, type Context, handleProtocols, makeServer, type Server, type SubscribePayload } from 'graphql-ws'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import { requestError } from '../../../schema/request-error.ts'
import { schema } from '../../../schema/schema.ts'
import { callerOf } from '../caller.ts'
import type { Engine, Outcome } from '../graphql/engine.ts'
import { Connection } from './connection.ts'
import { Visit } from './visit.ts'

export interface WebSocketDoorOptions {
  readonly engine: Engine
  readonly logger: Logger
  readonly frameBytesMax: number
  readonly operationsPerSocketMax: number
  readonly keepAliveMs: number
}

type VisitContext = Context<Record<string, unknown> | undefined, Visit>
/** graphql-ws hands these from onSubscribe to execute. */
interface RunArgs extends ExecutionArgs {
  readonly run: () => Promise<Outcome>
}

export class WebSocketDoor {
  readonly #options: WebSocketDoorOptions
  readonly #sockets: WebSocketServer
  readonly #protocol: Server<Visit>
  readonly #connections = new Map<Connection, Promise<void>>()
  readonly #keepAlive: NodeJS.Timeout

  constructor(options: WebSocketDoorOptions) {
    this.#options = options
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: options.frameBytesMax,
      autoPong: false,
      clientTracking: false,
      handleProtocols,
    })
    this.#protocol = makeServer<Record<string, unknown> | undefined, Visit>({
      schema,
      onSubscribe: (context, id, payload) => this.#begin(context, id, payload),
      onComplete: ({ extra }, id) => extra.end(id),
      execute: (args) => (args as RunArgs).run(),
      subscribe: (args) => (args as RunArgs).run(),
    })
    this.#keepAlive = setInterval(() => this.#checkLives(), options.keepAliveMs).unref()
  }

  /** The gate has let the request in. */
  accept(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.#sockets.handleUpgrade(request, stream, head, (socket) => this.#serve(socket, stream, request))
  }

  /** Tells every client to come back later; resolves when all are gone. */
  async goAway(): Promise<void> {
    clearInterval(this.#keepAlive)
    for (const connection of this.#connections.keys()) connection.close(goingAway, 'Going away')
    await Promise.all(this.#connections.values())
  }

  #serve(socket: WebSocket, stream: Duplex, request: IncomingMessage): void {
    const { logger } = this.#options
    const connection = new Connection(socket, stream)
    const fail = (error: unknown) => {
      if (isServersMessage(error)) return connection.close(CloseCode.BadRequest, 'Only a server sends this')
      logger.error({ err: error }, 'A WebSocket message failed unexpectedly.')
      connection.close(CloseCode.InternalServerError, 'Internal server error')
    }
    const visit = new Visit(request)
    const closed = this.#protocol.opened(
      {
        protocol: connection.protocol,
        send: (message) => connection.send(message),
        close: (code, reason) => connection.close(code ?? CloseCode.InternalServerError, reason ?? ''),
        onMessage: (handle) => connection.onMessage(handle, fail),
      },
      visit,
    )
    socket.on('error', (error) => logger.debug({ err: error }, 'A WebSocket broke.'))
    const gone = new Promise<void>((resolve) => {
      socket.once('close', (code, reason) => {
        this.#connections.delete(connection)
        Promise.all([closed(code, reason.toString()), visit.leave()])
          .catch(fail)
          .finally(resolve)
      })
    })
    this.#connections.set(connection, gone)
  }

  #begin({ extra: visit }: VisitContext, id: string, payload: SubscribePayload): RunArgs | readonly GraphQLError[] {
    const { engine, operationsPerSocketMax } = this.#options
    // One that its client has completed, but which has not ended: graphql-ws would take the two for one.
    if (visit.isInFlight(id)) {
      return [requestError('BAD_USER_INPUT', `The operation ${JSON.stringify(id)} is still ending. Use another id.`)]
    }
    if (visit.operationsInFlight >= operationsPerSocketMax) {
      return [requestError('RATE_LIMITED', `At most ${operationsPerSocketMax} operations at once on one WebSocket.`)]
    }
    const { query, operationName = null, variables } = payload
    const operation = engine.prepare({ query, operationName, variables: variables ?? {} }, callerOf(visit.request))
    if (operation.kind === 'refused') return operation.errors
    visit.begin(id)
    return { schema, document: operation.document, operationName, run: () => visit.run(id, operation) }
  }

  #checkLives(): void {
    for (const connection of this.#connections.keys()) connection.checkLife()
  }
}

const goingAway = 1001

/** What graphql-ws throws at a message that is right in form but goes the other way, such as `next`: no fault of ours. */
function isServersMessage(error: unknown): boolean {
  return error instanceof Error && /^Unexpected message of type \w+ received$/.test(error.message)
}
