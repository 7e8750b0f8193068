/** A server that takes files and gives them back over plain HTTP, with the memory that this costs it. */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { blocksOf, ContentCheck } from './content.ts'
import { PeakMemory } from './peak-memory.ts'

export interface FileDoor {
  readonly pid: number
  /** Where files are sent with PUT. */
  readonly uploadUrl: string
  /** From the answer to an upload. */
  downloadUrl(answer: string): Promise<string>
}

export interface FileTrip {
  readonly upMs: number
  readonly downMs: number
  /** Growth at most, bytes. */
  readonly upPeakBytes: number
  readonly downPeakBytes: number
}

/** Pays for code and buffers that stay, and is no file to speak of. */
const firstBytes = 32 * 1024 * 1024
const idleAgent = new Agent({ keepAlive: false })
let lastFile = 0

export class FileTraveller {
  readonly #door: FileDoor
  readonly #peak: PeakMemory

  static async start(door: FileDoor): Promise<FileTraveller> {
    lastFile += 1
    await download(await door.downloadUrl(await upload(door, lastFile, firstBytes)), lastFile, firstBytes)
    return new FileTraveller(door)
  }

  private constructor(door: FileDoor) {
    this.#door = door
    this.#peak = new PeakMemory(door.pid)
  }

  /** One file up and down again, every byte compared. */
  async trip(sizeBytes: number): Promise<FileTrip> {
    lastFile += 1
    const file = lastFile
    let answer = ''
    const up = await this.#measured(async () => {
      answer = await upload(this.#door, file, sizeBytes)
    })
    const url = await this.#door.downloadUrl(answer)
    const down = await this.#measured(() => download(url, file, sizeBytes))
    return { upMs: up.ms, downMs: down.ms, upPeakBytes: up.peakBytes, downPeakBytes: down.peakBytes }
  }

  async #measured(work: () => Promise<void>): Promise<{ readonly ms: number; readonly peakBytes: number }> {
    const startedAt = performance.now()
    const peakBytes = await this.#peak.during(work)
    return { ms: performance.now() - startedAt, peakBytes }
  }
}

async function upload({ uploadUrl }: FileDoor, file: number, sizeBytes: number): Promise<string> {
  const headers = { 'content-type': 'application/octet-stream', 'content-length': sizeBytes }
  const sending = request(uploadUrl, { method: 'PUT', headers, agent: idleAgent })
  const answered = once(sending, 'response') as Promise<[IncomingMessage]>
  await Promise.all([answered, pipeline(Readable.from(blocksOf(file, sizeBytes)), sending)])
  const [response] = await answered
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString('utf8')
  if (response.statusCode !== 201) throw new Error(`The upload was answered ${response.statusCode}: ${text}`)
  return text
}

async function download(url: string, file: number, sizeBytes: number): Promise<void> {
  const asking = request(url, { agent: idleAgent }).end()
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`The download was answered ${response.statusCode}.`)
  const check = new ContentCheck(file, sizeBytes)
  response.on('data', (piece: Buffer) => check.take(piece))
  await once(response, 'end')
  check.end()
}
