/**
 * One WebSocket as graphql-ws wants it, with what keeps a bad client from costing more than itself. Messages of one turn leave in one
 * write. A sender waits while the socket holds more than `bufferedBytesWait`; nothing more is read from a client that lets even
 * answers pile up; and a client that neither speaks nor takes anything between two pings is let go.
 */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { Pace } from '../pace.ts'

const bufferedBytesWait = 64 * 1024
const bufferedBytesPause = 1024 * 1024
/** A control frame holds 125 bytes, two of them for the code. */
const reasonBytesMax = 123

export class Connection {
  readonly protocol: string
  readonly #socket: WebSocket
  readonly #stream: Duplex
  readonly #pace = new Pace()
  #isCorked = false
  #isAlive = true

  constructor(socket: WebSocket, stream: Duplex) {
    this.protocol = socket.protocol
    this.#socket = socket
    this.#stream = stream
  }

  /** Calls `handle` for each text message; a failure of it ends the connection. */
  onMessage(handle: (message: string) => Promise<void>, onFailure: (error: unknown) => void): void {
    this.#socket.on('pong', () => (this.#isAlive = true))
    this.#socket.on('ping', (data: Buffer) => this.#pong(data))
    this.#socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#isAlive = true
      if (isBinary) return this.close(unsupportedData, 'Send text.')
      handle(data.toString()).catch(onFailure)
    })
  }

  /** Resolves at once while the client keeps up, else when it has taken what was sent. */
  async send(message: string): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#corkForThisTurn()
    const isBehind = this.#socket.bufferedAmount > bufferedBytesWait
    const taken = isBehind ? this.#sendAndWait(message) : this.#socket.send(message, ignore)
    const pause = this.#pace.wrote(message.length)
    if (isBehind || pause) await Promise.all([taken, pause])
  }

  /** Reasons name what a client sent, which may be long; a close frame is not. */
  close(code: number, reason: string): void {
    this.#socket.close(code, Buffer.from(reason).length <= reasonBytesMax ? reason : 'Too long to be told')
  }

  terminate(): void {
    this.#socket.terminate()
  }

  /** To be called at a steady interval. */
  checkLife(): void {
    if (!this.#isAlive) return this.terminate()
    this.#isAlive = false
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
  }

  /** Not owed to a client that takes none of its answers. */
  #pong(data: Buffer): void {
    this.#isAlive = true
    if (this.#socket.bufferedAmount < bufferedBytesPause) this.#socket.pong(data)
  }

  #sendAndWait(message: string): Promise<void> {
    if (this.#socket.bufferedAmount > bufferedBytesPause) this.#socket.pause()
    return new Promise((resolve) => {
      this.#socket.send(message, () => {
        this.#isAlive = true
        this.#socket.resume()
        resolve()
      })
    })
  }

  /** nextTick runs when the promises of this turn have settled, so after everything that they send. */
  #corkForThisTurn(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#stream.cork()
    process.nextTick(() => {
      this.#isCorked = false
      this.#stream.uncork()
    })
  }
}

const unsupportedData = 1003

/** A write that fails ends in the socket's close event, which is dealt with. */
function ignore(): void {}
