/** The naive way with files, as a process of its own: a file is put together in memory, then hashed, then written, and read whole to be sent. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { FileDoor } from './file-door.ts'

const program = fileURLToPath(new URL('naive-server.ts', import.meta.url))
const serverCore = 0

export class NaiveDoor implements FileDoor, AsyncDisposable {
  readonly pid: number
  readonly uploadUrl: string
  readonly #close: () => Promise<void>

  static async start(): Promise<NaiveDoor> {
    const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-'))
    // taskset becomes the program: the number of its process is the server's.
    const server = spawn('taskset', ['-c', String(serverCore), process.execPath, program, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const killAtExit = () => {
      server.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
    process.once('exit', killAtExit)
    const close = async () => {
      process.off('exit', killAtExit)
      server.kill('SIGKILL')
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
      await rm(folder, { recursive: true, force: true })
    }
    const said = createInterface({ input: server.stdout })
    const ended = once(server, 'exit').then(() => Promise.reject(new Error('The naive server ended by itself.')))
    ended.catch(() => {})
    try {
      const [url] = (await Promise.race([once(said, 'line'), ended])) as [string]
      return new NaiveDoor(server.pid as number, url, close)
    } catch (error) {
      await close()
      throw error
    }
  }

  private constructor(pid: number, uploadUrl: string, close: () => Promise<void>) {
    this.pid = pid
    this.uploadUrl = uploadUrl
    this.#close = close
  }

  async downloadUrl(answer: string): Promise<string> {
    return new URL(answer, this.uploadUrl).href
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}
