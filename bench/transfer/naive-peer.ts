/** The same Python behind JSON lines over its standard streams, tensors as base64. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Peer, peerCore, python, requireBytes } from './peer.ts'

const script = fileURLToPath(new URL('base64_peer.py', import.meta.url))

interface Answer {
  readonly id: number
  readonly data: string
}

export class NaivePeer implements Peer {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #lastId = 0

  constructor(flags: readonly string[] = []) {
    this.#process = spawn('taskset', ['-c', String(peerCore), python, script, ...flags])
    this.#process.stderr.pipe(process.stderr)
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
  }

  async fetch(sizeBytes: number): Promise<void> {
    this.#lastId += 1
    const id = this.#lastId
    const { promise, resolve } = Promise.withResolvers<Answer>()
    this.#waiting.set(id, resolve)
    this.#process.stdin.write(`${JSON.stringify({ id, bytes: sizeBytes })}\n`)
    requireBytes(Buffer.from((await promise).data, 'base64').length, sizeBytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
  }
}

/** A process for this one operation. */
export async function fetchInProcessOfItsOwn(sizeBytes: number): Promise<void> {
  await using peer = new NaivePeer(['--once'])
  await peer.fetch(sizeBytes)
}
