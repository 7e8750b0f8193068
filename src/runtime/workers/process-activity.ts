/** What the kernel says about a process: whether it does anything, and how much memory is its own. Linux; null elsewhere and for processes that are gone. */
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessActivity {
  /** CPU time of all its threads so far. */
  readonly cpuMs: number
  /** Page faults that needed the disk, and bytes read from it: a process that waits for either is not stuck. */
  readonly majorFaults: number
  readonly readBytes: number
  /** One of its threads runs, waits for a processor, or waits for the disk: large models are read in threads of their own. */
  readonly isRunnable: boolean
}

/** Linux reports CPU time in ticks of 1/100 s on every architecture that Node runs on. */
const msPerTick = 10

export function readProcessActivity(pid: number): ProcessActivity | null {
  const stat = readProcFile(pid, 'stat')
  if (stat === null) return null
  // The second field is the program's name in brackets and may hold anything, so fields are counted from the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  return {
    cpuMs: (field(14) + field(15)) * msPerTick,
    majorFaults: field(12),
    readBytes: Number(/^read_bytes: (\d+)/m.exec(readProcFile(pid, 'io') ?? '')?.[1] ?? 0),
    isRunnable: isRunnableState(fields[0]) || threadIds(pid).some((thread) => isRunnableState(stateOf(pid, thread))),
  }
}

function isRunnableState(state: string | undefined): boolean {
  return state === 'R' || state === 'D'
}

function threadIds(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return [] // It has gone meanwhile.
  }
}

function stateOf(pid: number, thread: string): string | undefined {
  const stat = readProcFile(pid, `task/${thread}/stat`)
  return stat?.at(stat.lastIndexOf(')') + 2)
}

/** Private anonymous memory in use, swapped out or not. */
export function readPrivateBytes(pid: number): number | null {
  const status = readProcFile(pid, 'status')
  const anonymousKiB = /^RssAnon:\s+(\d+) kB/m.exec(status ?? '')?.[1]
  if (anonymousKiB === undefined) return null
  const swappedKiB = /^VmSwap:\s+(\d+) kB/m.exec(status ?? '')?.[1] ?? '0'
  return (Number(anonymousKiB) + Number(swappedKiB)) * 1024
}

function readProcFile(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch {
    return null
  }
}
