/** Everything that a worker says for people, from its three sources and within one budget: standard output, standard error, LOG frames. */
import { LineSplitter, LogBudget, type LogLimits } from './log-lines.ts'
import type { LogLevel } from './reports.ts'

export class WorkerLog {
  readonly #budget: LogBudget
  readonly #output: LineSplitter
  readonly #errorOutput: LineSplitter
  readonly #log: (level: LogLevel, message: string) => void

  constructor(limits: LogLimits, now: () => number, log: (level: LogLevel, message: string) => void) {
    this.#log = log
    this.#budget = new LogBudget(limits, now, (bytes) =>
      log(
        'warning',
        `${bytes} bytes of its output were left out, because it wrote more than ${limits.bytesPerSecondMax} in a second.`,
      ),
    )
    this.#output = new LineSplitter(this.#budget, (line) => log('info', line))
    this.#errorOutput = new LineSplitter(this.#budget, (line) => log('warning', line))
  }

  output(chunk: Buffer): void {
    this.#output.push(chunk)
  }

  errorOutput(chunk: Buffer): void {
    this.#errorOutput.push(chunk)
  }

  /** The message of a LOG frame. */
  frame(level: LogLevel, message: string): void {
    const { lineBytesMax } = this.#budget.limits
    if (this.#budget.take(message.length))
      this.#log(level, message.length > lineBytesMax ? `${message.slice(0, lineBytesMax)}…` : message)
  }

  /** To be called now and then, so that a flood is told of even when nothing follows it. */
  look(): void {
    this.#budget.turnSecond()
  }

  end(): void {
    this.#output.end()
    this.#errorOutput.end()
    this.#budget.reportLeftOut()
  }
}
