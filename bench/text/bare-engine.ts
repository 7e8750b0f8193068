/** The engine without Hearth, as a process that is asked for rounds. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export interface TextRound {
  readonly tokens: number
  /** From the request to the end of the last stream. */
  readonly elapsedMs: number
  /** From the request to the first text of each stream. */
  readonly firstTokenMs: readonly number[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))

export class BareEngine implements Disposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  readonly #killAtExit = () => this.#process.kill('SIGKILL')

  /** Loads `model` with `threads` compute threads on `core`. */
  static async start(model: string, threads: number, core: number): Promise<BareEngine> {
    const engine = new BareEngine(model, threads, core)
    await engine.#line()
    return engine
  }

  constructor(model: string, threads: number, core: number) {
    const script = fileURLToPath(new URL('engine.py', import.meta.url))
    const command = [`${root}/.venv/bin/python`, script, `${root}/models/${model}`, String(threads)]
    this.#process = spawn('taskset', ['-c', String(core), ...command], {
      stdio: ['pipe', 'pipe', 'ignore'],
      // As the server gives them to its workers.
      env: { ...process.env, OMP_NUM_THREADS: String(threads), OMP_WAIT_POLICY: 'PASSIVE' },
    })
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
    process.once('exit', this.#killAtExit)
  }

  async round(prompts: readonly string[], maxTokens: number): Promise<TextRound> {
    this.#process.stdin.write(`${JSON.stringify({ prompts, maxTokens })}\n`)
    return JSON.parse(await this.#line()) as TextRound
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#killAtExit)
    this.#process.kill('SIGKILL')
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('The engine ended by itself: run bench/text/engine.py to see why.')
    return value
  }
}
