/** Who works on a data folder: a readable file beside the lock. It informs; the lock itself is `folder-lock.ts`. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Millis } from '../../scheduler/ids.ts'

export interface Holder {
  readonly pid: number
  readonly host: string
  readonly startedAt: Millis
  /** Null until it listens. */
  readonly url: string | null
}

export function thisProcess(startedAt: Millis, url: string | null): Holder {
  return { pid: process.pid, host: hostname(), startedAt, url }
}

/** Whole or not at all: a reader never sees half a file. */
export function writeHolder(folder: string, holder: Holder): void {
  const temporary = join(folder, `holder.${process.pid}.tmp`)
  writeFileSync(temporary, `${JSON.stringify(holder, null, 2)}\n`)
  renameSync(temporary, holderFile(folder))
}

/** Null when there is none, or when it cannot be read: the lock holds either way. */
export function readHolder(folder: string): Holder | null {
  try {
    return JSON.parse(readFileSync(holderFile(folder), 'utf8')) as Holder
  } catch {
    return null
  }
}

export function removeHolder(folder: string): void {
  rmSync(holderFile(folder), { force: true })
}

function holderFile(folder: string): string {
  return join(folder, 'holder.json')
}
