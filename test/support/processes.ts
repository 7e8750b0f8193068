/** What the kernel says about processes (Linux). */
import { readdir, readFile } from 'node:fs/promises'

/** False once it is gone or only a zombie is left. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await statOf(pid)
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X'
}

/** All descendants of a process that are alive. */
export async function descendants(pid: number): Promise<number[]> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await statOf(Number(name)) : null
    if (stat && stat.state !== 'Z') parents.set(Number(name), stat.parent)
  }
  const belongs = (child: number): boolean => {
    const parent = parents.get(child)
    return parent === pid || (parent !== undefined && belongs(parent))
  }
  return [...parents.keys()].filter(belongs)
}

/** Resident memory of a process, bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

async function statOf(pid: number): Promise<{ state: string; parent: number } | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  // The name of the program may hold blanks and brackets; the fields begin after its last bracket.
  const [state, parent] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return state === undefined ? null : { state, parent: Number(parent) }
}
