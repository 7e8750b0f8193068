/** The most memory that a process held at once, as the kernel keeps it: nothing that comes and goes between two looks is missed. */
import { readFileSync, writeFileSync } from 'node:fs'

/** Writing this to clear_refs makes the kernel forget the peak so far (proc(5)). */
const forgetPeak = '5'

export class PeakMemory {
  readonly #pid: number
  readonly #beforeBytes: number

  /** Growth counts from what the process holds now. */
  constructor(pid: number) {
    this.#pid = pid
    this.#beforeBytes = residentBytes(pid, 'VmRSS')
  }

  /** What `work` made the process hold at most above what it held before, bytes. */
  async during(work: () => Promise<void>): Promise<number> {
    writeFileSync(`/proc/${this.#pid}/clear_refs`, forgetPeak)
    await work()
    return Math.max(0, residentBytes(this.#pid, 'VmHWM') - this.#beforeBytes)
  }
}

function residentBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const [, kibibytes] =
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  if (kibibytes === undefined) throw new Error(`The system does not tell ${field} of process ${pid}.`)
  return Number(kibibytes) * 1024
}
