/** HTTP/1.1 responses off a stream, as little as a benchmark needs: a length or chunks, one response after another. */
export interface ResponseListener {
  /** `isLast`: the server closes the connection after this response. */
  readonly onHead: (status: number, isLast: boolean) => void
  readonly onBody: (bytes: Buffer) => void
  readonly onEnd: () => void
}

const headEnd = Buffer.from('\r\n\r\n')
const lineEnd = Buffer.from('\r\n')

type Expecting = 'head' | 'body' | 'chunkSize' | 'chunk' | 'chunkEnd' | 'trailer'

export class ResponseParser {
  readonly #listener: ResponseListener
  #expecting: Expecting = 'head'
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes of the body, or of the chunk, that have not come yet. */
  #missing = 0

  constructor(listener: ResponseListener) {
    this.#listener = listener
  }

  feed(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    while (this.#advance());
  }

  /** Takes one part off the front; false when more bytes are needed. */
  #advance(): boolean {
    switch (this.#expecting) {
      case 'head': {
        const head = this.#takeThrough(headEnd)
        if (head !== null) this.#begin(head.toString('latin1'))
        return head !== null
      }
      case 'body':
      case 'chunk': {
        if (this.#rest.length === 0) return false
        const part = this.#rest.subarray(0, this.#missing)
        this.#rest = this.#rest.subarray(part.length)
        this.#missing -= part.length
        this.#listener.onBody(part)
        if (this.#missing > 0) return false
        if (this.#expecting === 'body') this.#end()
        else this.#expecting = 'chunkEnd'
        return true
      }
      case 'chunkSize': {
        const line = this.#takeThrough(lineEnd)
        if (line === null) return false
        this.#missing = Number.parseInt(line.toString('latin1'), 16)
        this.#expecting = this.#missing === 0 ? 'trailer' : 'chunk'
        return true
      }
      case 'chunkEnd': {
        const found = this.#takeThrough(lineEnd)
        if (found !== null) this.#expecting = 'chunkSize'
        return found !== null
      }
      case 'trailer': {
        const line = this.#takeThrough(lineEnd)
        if (line?.length === 0) this.#end()
        return line !== null
      }
    }
  }

  #begin(head: string): void {
    const status = Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
    this.#listener.onHead(status, /^connection: *close/im.test(head))
    if (/^transfer-encoding: *chunked/im.test(head)) {
      this.#expecting = 'chunkSize'
      return
    }
    this.#missing = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
    if (this.#missing > 0) this.#expecting = 'body'
    else this.#end()
  }

  #end(): void {
    this.#expecting = 'head'
    this.#listener.onEnd()
  }

  #takeThrough(mark: Buffer): Buffer | null {
    const at = this.#rest.indexOf(mark)
    if (at < 0) return null
    const taken = this.#rest.subarray(0, at)
    this.#rest = this.#rest.subarray(at + mark.length)
    return taken
  }
}
