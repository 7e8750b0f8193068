/**
 * Rounds on a machine that others use too. A round waits for a quiet moment, and is measured again when others used the processors
 * during it. Which rounds count is decided by what the others did, never by the result; patience is bounded, and when it has run out,
 * rounds count as they come. The mean use by others during the rounds that count is part of the outcome.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { machineBusyMs, treeCpuMs } from './process-tree.ts'
import { fixedWorkMs } from './speed.ts'

/** Cores that others may use while a round counts as undisturbed. */
const othersMax = 0.25
const windowMs = 800

export class Quiet {
  readonly #say: (line: string) => void
  #patienceMs: number
  #othersMs = 0
  #roundsMs = 0
  readonly #fixedWorkMs: number[] = []

  /** @param patienceMs to spend on waiting and on repeated rounds, all together. */
  constructor(patienceMs: number, say: (line: string) => void) {
    this.#patienceMs = patienceMs
    this.#say = say
  }

  /** Mean use by others during the rounds that count, in cores. */
  get others(): number {
    return this.#roundsMs === 0 ? 0 : this.#othersMs / this.#roundsMs
  }

  /** What a fixed piece of work took before each of these rounds. */
  get fixedWorkMs(): readonly number[] {
    return this.#fixedWorkMs
  }

  async round<Value>(measure: () => Promise<Value>): Promise<Value> {
    for (;;) {
      await this.#moment()
      const speedMs = fixedWorkMs()
      const watch = new OthersWatch()
      const value = await measure()
      const { othersMs, wallMs } = watch.read()
      // The kernel counts in hundredths of a second: of a shorter round only the moment before it can be judged.
      const isQuiet = wallMs < windowMs || othersMs <= othersMax * wallMs
      if (isQuiet || this.#patienceMs <= 0) {
        this.#othersMs += othersMs
        this.#roundsMs += wallMs
        this.#fixedWorkMs.push(speedMs)
        return value
      }
      this.#patienceMs -= wallMs
      this.#say(`others used ${(othersMs / wallMs).toFixed(2)} cores: measured again`)
    }
  }

  /** Returns in a quiet moment, or when patience has run out. */
  async #moment(): Promise<void> {
    while (this.#patienceMs > 0) {
      const watch = new OthersWatch()
      await sleep(windowMs)
      const { othersMs, wallMs } = watch.read()
      if (othersMs <= othersMax * wallMs) return
      this.#patienceMs -= wallMs
    }
  }
}

/** CPU time of everything that this process did not start. */
class OthersWatch {
  readonly #startedAt = performance.now()
  readonly #before = machineBusyMs() - treeCpuMs(process.pid)

  read(): { readonly othersMs: number; readonly wallMs: number } {
    const othersMs = Math.max(0, machineBusyMs() - treeCpuMs(process.pid) - this.#before)
    return { othersMs, wallMs: performance.now() - this.#startedAt }
  }
}
