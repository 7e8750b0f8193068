/** A Python program that answers a line of JSON with a line of JSON: what an engine does without Hearth, on cores of its own. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface BareModel {
  /** The program; it loads the model of the folder that is its first argument, with as many compute threads as its second says. */
  readonly script: URL
  readonly model: string
  readonly threads: number
  readonly cores: readonly number[]
}

export class PythonLines implements Disposable {
  readonly #script: string
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  readonly #killAtExit = () => this.#process.kill('SIGKILL')

  /** Resolves when the program has said that it is ready, with its first line. */
  static async start(bare: BareModel): Promise<PythonLines> {
    const program = new PythonLines(bare)
    await program.#line()
    return program
  }

  private constructor({ script, model, threads, cores }: BareModel) {
    this.#script = fileURLToPath(script)
    const command = [`${root}/.venv/bin/python`, this.#script, `${root}/models/${model}`, String(threads)]
    this.#process = spawn('taskset', ['-c', cores.join(), ...command], {
      stdio: ['pipe', 'pipe', 'ignore'],
      // As the server gives them to its workers.
      env: { ...process.env, OMP_NUM_THREADS: String(threads), OMP_WAIT_POLICY: 'PASSIVE' },
    })
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
    process.once('exit', this.#killAtExit)
  }

  /** One question at a time. */
  async ask(question: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.#process.stdin.write(`${JSON.stringify(question)}\n`)
    return JSON.parse(await this.#line())
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#killAtExit)
    this.#process.kill('SIGKILL')
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`The program ended by itself: run ${this.#script} to see why.`)
    return value
  }
}
