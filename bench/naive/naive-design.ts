/** All mechanisms off at once: a process for each operation, JSON with base64, no batches, one request at a time; whoever comes waits in a row. */
import { spawn } from 'node:child_process'
import { text as readText } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { peerCore, python } from '../transfer/peer.ts'

const program = fileURLToPath(new URL('embed.py', import.meta.url))
const floatBytes = 4

export class NaiveDesign implements AsyncDisposable {
  readonly #modelFolder: string
  #last: Promise<unknown> = Promise.resolve()

  constructor(modelFolder: string) {
    this.#modelFolder = modelFolder
  }

  /** The vector of a text. */
  embed(text: string): Promise<Float32Array> {
    const own = this.#last.then(() => this.#embedNow(text))
    this.#last = own.catch(() => {})
    return own
  }

  /** What has begun ends by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
  }

  async #embedNow(text: string): Promise<Float32Array> {
    const process = spawn('taskset', ['-c', String(peerCore), python, program, this.#modelFolder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    process.stdin.end(`${JSON.stringify({ text })}\n`)
    const { data } = JSON.parse(await readText(process.stdout)) as { readonly data: string }
    const bytes = new Uint8Array(Buffer.from(data, 'base64'))
    return new Float32Array(bytes.buffer, 0, bytes.length / floatBytes)
  }
}
