/** One keep-alive connection that asks one thing at a time: a mutation, or a subscription as server-sent events. */
import { connect, type Socket } from 'node:net'
import { type Answer, dataOf, type Operation, requestJson } from './operation.ts'
import { ResponseParser } from './response-parser.ts'

interface Pending {
  readonly onBody: (bytes: Buffer) => void
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

type Variables = Readonly<Record<string, unknown>>

export class HttpConnection {
  readonly #address: { readonly host: string; readonly port: number }
  readonly #head: string
  /** Opened when something is asked, and again after the server has closed it for having been idle. */
  #socket: Socket | null = null
  #pending: Pending | null = null
  #status = 0

  /** @param url of the GraphQL endpoint. */
  constructor(url: string) {
    const { hostname, port, pathname, host } = new URL(url)
    this.#address = { host: hostname, port: Number(port) }
    this.#head = `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n`
  }

  /** A query or mutation. */
  async ask(operation: Operation, variables: Variables): Promise<unknown> {
    const parts: Buffer[] = []
    await this.#send(requestJson(operation, variables), 'application/json', (bytes) => parts.push(bytes))
    const text = (parts.length === 1 ? parts[0] : Buffer.concat(parts))?.toString('utf8') ?? ''
    if (this.#status !== 200) throw new Error(`The server answered ${this.#status}: ${text.slice(0, 500)}`)
    return dataOf(JSON.parse(text) as Answer)
  }

  /** A subscription; resolves when the server has completed it. */
  async stream(operation: Operation, variables: Variables, onNext: (data: unknown) => void): Promise<void> {
    let text = ''
    await this.#send(requestJson(operation, variables), 'text/event-stream', (bytes) => {
      const events = (text + bytes.toString('utf8')).split('\n\n')
      text = events.pop() ?? ''
      for (const event of events) if (event.startsWith('event: next')) onNext(dataOf(answerIn(event)))
    })
    if (this.#status !== 200) throw new Error(`The server answered ${this.#status}.`)
  }

  close(): void {
    this.#socket?.destroy()
  }

  #send(body: string, accept: string, onBody: (bytes: Buffer) => void): Promise<void> {
    if (this.#pending !== null) throw new Error('This connection is already asking.')
    return new Promise((resolve, reject) => {
      this.#pending = { onBody, resolve, reject }
      this.#open().write(`${this.#head}accept: ${accept}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
    })
  }

  #open(): Socket {
    if (this.#socket !== null) return this.#socket
    const socket = connect({ ...this.#address, noDelay: true })
    let isAnsweringLast = false
    const forget = () => {
      if (this.#socket === socket) this.#socket = null
    }
    const parser = new ResponseParser({
      onHead: (status, isLast) => {
        this.#status = status
        isAnsweringLast = isLast
      },
      onBody: (bytes) => this.#pending?.onBody(bytes),
      onEnd: () => {
        if (isAnsweringLast) forget()
        this.#settle(({ resolve }) => resolve())
      },
    })
    const fail = (error: Error) => {
      // One that was forgotten has answered all that it was asked; what is pending is another's.
      if (this.#socket === socket) this.#settle(({ reject }) => reject(error))
      forget()
    }
    socket.on('data', (bytes) => parser.feed(bytes))
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('The server closed the connection.')))
    this.#socket = socket
    return socket
  }

  #settle(how: (pending: Pending) => void): void {
    const pending = this.#pending
    this.#pending = null
    if (pending !== null) how(pending)
  }
}

function answerIn(event: string): Answer {
  return JSON.parse(event.slice(event.indexOf('data: ') + 'data: '.length)) as Answer
}
