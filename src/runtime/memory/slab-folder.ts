/**
 * Where this server's slabs lie: a folder of its own in shared memory, whose name says whose it is. A server that is killed leaves it behind, and
 * the next one to start on the machine removes it: a process is the one of the name only if number and start time both are its.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** With less than this, slabs are not worth having. */
const freeBytesMin = 16 * 1024 * 1024
const poolsPerProcessMax = 1000
const folderName = /^hearth-(\d+)-(\d+)-(\d+)(?:-\d+)?$/

export interface SlabFolder {
  readonly path: string
  /** Of the file system, when it was made. */
  readonly freeBytes: number
}

/** Makes the folder, after those of dead servers were removed. Throws an Error whose message says, as a clause, why there can be none. */
export async function makeSlabFolder(parent: string): Promise<SlabFolder> {
  const startTime = startTimeOf(process.pid)
  if (startTime === null) throw new Error('this system does not tell when a process was started')
  await removeLeftSlabFolders(parent)
  const { bavail, bsize } = await statfs(parent)
  const freeBytes = bavail * bsize
  if (freeBytes < freeBytesMin)
    throw new Error(`${parent} has ${freeBytes} bytes free, and at least ${freeBytesMin} are needed`)
  const path = await makeFolder(join(parent, `hearth-${userId()}-${process.pid}-${startTime}`))
  return { path, freeBytes }
}

/** Removes the folders of this user's servers that live no more. What cannot be removed is left. */
export async function removeLeftSlabFolders(parent: string): Promise<void> {
  for (const name of readdirSync(parent)) {
    const [, user, pid, startTime] = folderName.exec(name) ?? []
    if (user !== String(userId()) || startTimeOf(Number(pid)) === startTime) continue
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => {})
  }
}

/** A process may have several: the second and later ones carry a number. */
async function makeFolder(path: string): Promise<string> {
  for (let number = 0; number < poolsPerProcessMax; number += 1) {
    const numbered = number === 0 ? path : `${path}-${number}`
    try {
      await mkdir(numbered, { mode: 0o700 })
      return numbered
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
  throw new Error(`this process has ${poolsPerProcessMax} folders there already`)
}

function userId(): number {
  return process.getuid?.() ?? 0
}

/** In ticks since the machine started, as the kernel tells it; null = there is no such process, or it does not tell. */
function startTimeOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command may hold blanks and parentheses; behind it, the start is field 22 of all.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
