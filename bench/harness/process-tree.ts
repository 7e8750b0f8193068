/** What Linux knows of a process and all below it: who they are, the CPU they used, the memory they hold. */
import { readdirSync, readFileSync } from 'node:fs'

/** The kernel counts CPU time in hundredths of a second for every architecture Hearth runs on. */
const msPerTick = 10

/** `pid` and everything below it that is alive now. */
export function processTree(pid: number): number[] {
  const childrenOf = Map.groupBy(allProcesses(), ({ parent }) => parent)
  const tree = [pid]
  for (const member of tree) tree.push(...(childrenOf.get(member) ?? []).map((child) => child.pid))
  return tree
}

/** Whether it is there and not merely waiting for its parent to take note of its end. */
export function isRunning(pid: number): boolean {
  const [state = 'Z'] = statFields(pid) ?? []
  return state !== 'Z'
}

/** CPU time that a process and its threads have used, milliseconds; 0 when it is gone. */
export function cpuMs(pid: number): number {
  const [, , , , , , , , , , , userTicks = '0', systemTicks = '0'] = statFields(pid) ?? []
  return (Number(userTicks) + Number(systemTicks)) * msPerTick
}

/** CPU time that `pid` and everything below it have used, what has ended included, milliseconds. */
export function treeCpuMs(pid: number): number {
  return processTree(pid).reduce((sum, member) => sum + cpuMs(member) + endedChildrenCpuMs(member), 0)
}

/** CPU time of the ended children of a process, and of theirs. */
function endedChildrenCpuMs(pid: number): number {
  const [, , , , , , , , , , , , , userTicks = '0', systemTicks = '0'] = statFields(pid) ?? []
  return (Number(userTicks) + Number(systemTicks)) * msPerTick
}

/** Its share of the memory that it and others map (PSS), bytes; 0 when it is gone. */
export function proportionalBytes(pid: number): number {
  const text = readIfThere(`/proc/${pid}/smaps_rollup`)
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text ?? '')?.[1] ?? 0) * 1024
}

/** Its private anonymous memory, as a worker measures its own, bytes; 0 when it is gone. */
export function privateBytes(pid: number): number {
  const text = readIfThere(`/proc/${pid}/smaps_rollup`)
  return Number(/^Anonymous:\s+(\d+) kB$/m.exec(text ?? '')?.[1] ?? 0) * 1024
}

/** CPU time that the whole machine has been busy since it started, milliseconds; time stolen by other machines counts. */
export function machineBusyMs(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (readIfThere('/proc/stat') ?? '')
    .slice('cpu '.length, 500)
    .trim()
    .split(/\s+/, 8)
    .map(Number)
  return (user + nice + system + irq + softirq + steal) * msPerTick
}

function allProcesses(): { readonly pid: number; readonly parent: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parent: Number(statFields(Number(name))?.[1] ?? -1) }))
}

/** The fields of /proc/PID/stat after the command, which alone may hold blanks: state, parent, ... */
function statFields(pid: number): string[] | null {
  const text = readIfThere(`/proc/${pid}/stat`)
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null // the process ended while it was being looked at
  }
}
