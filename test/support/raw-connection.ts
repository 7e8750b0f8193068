/** A TCP connection on which a test says byte for byte what it wants, and a WebSocket spoken over it frame by frame, right or wrong. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export class RawConnection {
  readonly socket: Socket
  readonly ended: Promise<void>
  #received = Buffer.alloc(0)
  #arrived: (() => void) | null = null
  #isOver = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#arrived?.()
    })
    // A connection that the server resets has ended too.
    socket.on('error', () => {})
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.#isOver = true
        this.#arrived?.()
        resolve()
      }
      socket.once('end', end).once('close', end)
    })
  }

  /** Closed when the test ends. */
  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    onTestFinished(() => void socket.destroy())
    const raw = new RawConnection(socket)
    await Promise.race([once(socket, 'connect'), raw.ended])
    return raw
  }

  get received(): Buffer {
    return this.#received
  }

  get isOver(): boolean {
    return this.#isOver
  }

  write(data: string | Uint8Array): void {
    if (this.socket.writable) this.socket.write(data)
  }

  /** Waits for bytes that fit, and takes them away; null when the connection ends first. */
  async take<Value>(read: (bytes: Buffer) => { value: Value; length: number } | null): Promise<Value | null> {
    for (;;) {
      const found = read(this.#received)
      if (found) {
        this.#received = this.#received.subarray(found.length)
        return found.value
      }
      if (this.#isOver) return null
      await new Promise<void>((resolve) => (this.#arrived = resolve))
    }
  }

  /** The next HTTP answer: its status and body. */
  answer(): Promise<{ status: number; body: string } | null> {
    return this.take((bytes) => {
      const end = bytes.indexOf('\r\n\r\n')
      if (end === -1) return null
      const head = bytes.subarray(0, end).toString('latin1')
      const length = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (bytes.length < length) return null
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1])
      return { value: { status, body: bytes.subarray(end + 4, length).toString() }, length }
    })
  }
}

export interface Frame {
  readonly opcode: number
  readonly payload: Buffer
}

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export class RawWebSocket {
  readonly connection: RawConnection

  private constructor(connection: RawConnection) {
    this.connection = connection
  }

  /** Upgraded, and nothing said yet. */
  static async open(url: string): Promise<RawWebSocket> {
    const connection = await RawConnection.open(url)
    const { host } = new URL(url)
    connection.write(
      `GET /graphql HTTP/1.1\r\nhost: ${host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n` +
        'sec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n',
    )
    const answer = await connection.answer()
    if (answer?.status !== 101) throw new Error(`Not upgraded: ${JSON.stringify(answer)}.`)
    return new RawWebSocket(connection)
  }

  /** As `open`, and acknowledged. */
  static async initialised(url: string): Promise<RawWebSocket> {
    const raw = await RawWebSocket.open(url)
    raw.say({ type: 'connection_init' })
    await raw.next()
    return raw
  }

  say(message: unknown): void {
    this.connection.write(frame(opcode.text, Buffer.from(JSON.stringify(message))))
  }

  /** Null when the connection ended. */
  next(): Promise<Frame | null> {
    return this.connection.take(readFrame)
  }

  /** The code of the close frame, after whatever else comes; null when the connection ends without one. */
  async closeCode(): Promise<number | null> {
    for (let next = await this.next(); next; next = await this.next()) {
      if (next.opcode === opcode.close) return next.payload.readUInt16BE(0)
    }
    return null
  }
}

/** `first` replaces the first byte: FIN, reserved bits and opcode. `announced` replaces the true length. */
export function frame(
  code: number,
  payload: Uint8Array,
  options: {
    readonly isLast?: boolean
    readonly first?: number
    readonly announced?: bigint
    readonly isMasked?: boolean
  } = {},
): Buffer {
  const {
    isLast = true,
    first = (isLast ? 0x80 : 0) | code,
    announced = BigInt(payload.length),
    isMasked = true,
  } = options
  const head = announced < 126n ? Buffer.alloc(2) : announced < 65_536n ? Buffer.alloc(4) : Buffer.alloc(10)
  const bit = isMasked ? 0x80 : 0
  head[0] = first
  if (head.length === 2) head[1] = bit | Number(announced)
  if (head.length === 4) {
    head[1] = bit | 126
    head.writeUInt16BE(Number(announced), 2)
  }
  if (head.length === 10) {
    head[1] = bit | 127
    head.writeBigUInt64BE(announced, 2)
  }
  if (!isMasked) return Buffer.concat([head, payload])
  const mask = randomBytes(4)
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))])
}

/** A whole frame at the beginning of `bytes`; a server does not mask. */
function readFrame(bytes: Buffer): { value: Frame; length: number } | null {
  if (bytes.length < 2) return null
  const short = (bytes[1] ?? 0) & 0x7f
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < start) return null
  const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (bytes.length < start + size) return null
  return {
    value: { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(start, start + size) },
    length: start + size,
  }
}
