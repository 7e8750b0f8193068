/** The encoder without Hearth, as a process that is asked for rounds. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export class BareEncoder implements Disposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  readonly #killAtExit = () => this.#process.kill('SIGKILL')

  /** Loads `model` with `threads` compute threads on `core`. */
  static async start(model: string, threads: number, core: number): Promise<BareEncoder> {
    const encoder = new BareEncoder(model, threads, core)
    await encoder.#line()
    return encoder
  }

  constructor(model: string, threads: number, core: number) {
    const script = fileURLToPath(new URL('engine.py', import.meta.url))
    const command = [`${root}/.venv/bin/python`, script, `${root}/models/${model}`, String(threads)]
    this.#process = spawn('taskset', ['-c', String(core), ...command], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, OMP_NUM_THREADS: String(threads), OMP_WAIT_POLICY: 'PASSIVE' },
    })
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
    process.once('exit', this.#killAtExit)
  }

  /** Rows per second, `batch` of them in each run, for about `milliseconds`. */
  async itemsPerSecond(batch: number, milliseconds: number): Promise<number> {
    this.#process.stdin.write(`${JSON.stringify({ batch, milliseconds })}\n`)
    return (JSON.parse(await this.#line()) as { readonly itemsPerSecond: number }).itemsPerSecond
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#killAtExit)
    this.#process.kill('SIGKILL')
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('The encoder ended by itself: run bench/embed/engine.py to see why.')
    return value
  }
}
