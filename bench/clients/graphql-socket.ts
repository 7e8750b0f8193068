/** graphql-transport-ws by hand over `ws`: as little work per message as can be, so that the server is what is measured. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { type Answer, dataOf, type Operation, requestJson } from './operation.ts'

interface Listener {
  readonly onNext: (data: unknown) => void
  readonly onComplete: () => void
  readonly onError: (error: Error) => void
}

interface Message {
  readonly type: string
  readonly id?: string
  readonly payload?: unknown
}

type Variables = Readonly<Record<string, unknown>>

export class GraphQLSocket {
  readonly #socket: WebSocket
  readonly #listeners = new Map<string, Listener>()
  #lastId = 0

  /** @param url of the GraphQL endpoint, as the ready line says it. */
  static async open(url: string): Promise<GraphQLSocket> {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws', { perMessageDeflate: false })
    await once(socket, 'open')
    socket.send('{"type":"connection_init"}')
    await once(socket, 'message')
    return new GraphQLSocket(socket)
  }

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString('utf8')) as Message))
    socket.on('error', (error) => this.#failAll(error))
    socket.on('close', (code) => this.#failAll(new Error(`The server closed the WebSocket (${code}).`)))
  }

  /** A query or mutation. */
  ask(operation: Operation, variables: Variables): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let answer: unknown
      const onNext = (data: unknown) => {
        answer = data
      }
      this.#start(operation, variables, { onNext, onComplete: () => resolve(answer), onError: reject })
    })
  }

  /** A subscription; resolves when the server has completed it. */
  stream(operation: Operation, variables: Variables, onNext: (data: unknown) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#start(operation, variables, { onNext, onComplete: resolve, onError: reject })
    })
  }

  close(): void {
    this.#listeners.clear()
    this.#socket.terminate()
  }

  #start(operation: Operation, variables: Variables, listener: Listener): void {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      listener.onError(new Error('The WebSocket is closed.'))
      return
    }
    this.#lastId += 1
    const id = String(this.#lastId)
    this.#listeners.set(id, listener)
    this.#socket.send(`{"id":"${id}","type":"subscribe","payload":${requestJson(operation, variables)}}`)
  }

  #take({ type, id = '', payload }: Message): void {
    const listener = this.#listeners.get(id)
    switch (type) {
      case 'next':
        try {
          listener?.onNext(dataOf(payload as Answer))
        } catch (error) {
          this.#listeners.delete(id)
          listener?.onError(error as Error)
        }
        return
      case 'complete':
        this.#listeners.delete(id)
        listener?.onComplete()
        return
      case 'error':
        this.#listeners.delete(id)
        listener?.onError(new Error(`GraphQL errors: ${JSON.stringify(payload)}`))
        return
      case 'ping':
        this.#socket.send('{"type":"pong"}')
    }
  }

  #failAll(error: Error): void {
    const listeners = [...this.#listeners.values()]
    this.#listeners.clear()
    for (const listener of listeners) listener.onError(error)
  }
}
