/** A WebSocket client that speaks the protocol by hand and can stop reading its socket. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Hearth } from './hearth.ts'
import type { Operation } from './subscriptions.ts'

export class SlowReader<Data> {
  readonly answers: Data[] = []
  readonly #socket: WebSocket
  readonly #complete: Promise<void>

  private constructor(socket: WebSocket) {
    this.#socket = socket
    this.#complete = new Promise((resolve, reject) => {
      socket.on('message', (bytes: Buffer) => {
        const message = JSON.parse(bytes.toString()) as { type: string; payload?: { data?: Data } }
        if (message.type === 'next' && message.payload?.data) this.answers.push(message.payload.data)
        else if (message.type === 'ping') socket.send('{"type":"pong"}')
        else if (message.type === 'complete') resolve()
        else if (message.type === 'error') reject(new Error(bytes.toString()))
      })
      socket.on('close', (code, reason) => reject(new Error(`Closed with ${code}: ${reason.toString()}`)))
    })
    this.#complete.catch(() => {})
  }

  /** Subscribed, and reading nothing yet. */
  static async open<Data>(hearth: Hearth, operation: Operation): Promise<SlowReader<Data>> {
    const socket = new WebSocket(hearth.url.replace(/^http/, 'ws'), 'graphql-transport-ws')
    await once(socket, 'open')
    socket.send('{"type":"connection_init"}')
    await once(socket, 'message')
    const reader = new SlowReader<Data>(socket)
    socket.pause()
    socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: operation }))
    return reader
  }

  /** Reads everything until the operation is complete. */
  async readOn(): Promise<readonly Data[]> {
    this.#socket.resume()
    await this.#complete
    this.#socket.terminate()
    return this.answers
  }

  hangUp(): void {
    this.#socket.terminate()
  }
}
