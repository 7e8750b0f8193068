/** A WebSocket that speaks the protocol by hand, to see what is said, and to say what no client would. */
import { once } from 'node:events'
import { WebSocket } from 'ws'

export interface Message {
  readonly id?: string
  readonly type: string
  readonly payload?: unknown
}

export class RawSocket {
  readonly socket: WebSocket
  readonly messages: Message[] = []
  readonly closed: Promise<{ code: number; reason: string }>
  #arrived: (() => void) | null = null

  constructor(
    url: string,
    options: { readonly headers?: Readonly<Record<string, string>>; readonly protocols?: string[] } = {},
  ) {
    this.socket = new WebSocket(url, options.protocols ?? ['graphql-transport-ws'], { headers: { ...options.headers } })
    this.socket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()) as Message)
      this.#arrived?.()
    })
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => {
        this.#arrived?.()
        resolve({ code, reason: reason.toString() })
      })
    })
    // Refused upgrades and broken connections end in `close` too.
    this.socket.on('error', () => {})
  }

  static async open(url: string): Promise<RawSocket> {
    const raw = new RawSocket(url)
    await once(raw.socket, 'open')
    raw.say({ type: 'connection_init' })
    await raw.next(({ type }) => type === 'connection_ack')
    return raw
  }

  say(message: unknown): void {
    this.socket.send(JSON.stringify(message))
  }

  subscribe(id: string, query: string, variables: object = {}): void {
    this.say({ id, type: 'subscribe', payload: { query, variables } })
  }

  /** The first message like this, also one that has already come. */
  async next(isWanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(isWanted)
      if (found) return found
      if (this.socket.readyState >= WebSocket.CLOSING)
        throw new Error(`The socket closed; it had said ${JSON.stringify(this.messages)}.`)
      await new Promise<void>((resolve) => (this.#arrived = resolve))
    }
  }
}

/** The HTTP answer to an upgrade that was refused. */
export async function refusedUpgrade(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: string }> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers: { ...headers } })
  socket.on('error', () => {})
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      socket.terminate()
      reject(new Error('The upgrade was accepted.'))
    })
    socket.on('unexpected-response', (_, response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
  })
}
