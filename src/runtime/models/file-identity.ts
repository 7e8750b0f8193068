/** Tells without reading it whether a file is still the one that was read: any write, replacement or touch changes one of these. */
import type { BigIntStats } from 'node:fs'

export interface FileIdentity {
  readonly device: string
  readonly inode: string
  readonly sizeBytes: number
  /** Nanoseconds since the Unix epoch, decimal: more digits than a JSON number keeps. */
  readonly modifiedNs: string
  readonly changedNs: string
}

export function identityOf(stats: BigIntStats): FileIdentity {
  return {
    device: String(stats.dev),
    inode: String(stats.ino),
    sizeBytes: Number(stats.size),
    modifiedNs: String(stats.mtimeNs),
    changedNs: String(stats.ctimeNs),
  }
}

export function sameIdentity(one: FileIdentity, other: FileIdentity): boolean {
  return (
    one.device === other.device &&
    one.inode === other.inode &&
    one.sizeBytes === other.sizeBytes &&
    one.modifiedNs === other.modifiedNs &&
    one.changedNs === other.changedNs
  )
}
