/**
 * Limits that a container or service manager has put on this process: control groups, version 2 or 1. A group is bound by its ancestors too,
 * so the least value on the way up counts. Inside a container the path of the group may not be mounted; the mount's root is the group then.
 */
import type { ReadSystemFile } from './system-files.ts'

const mount = '/sys/fs/cgroup'
/** Version 1 says "no limit" with a number near 2^63. */
const unlimitedFromBytes = 2 ** 60

export interface GroupMemory {
  readonly limitBytes: number
  /** In use, without file pages that the kernel can take back at once. */
  readonly usedBytes: number
}

/** Cores' worth of CPU time per second; null = as many as there are. */
export function readCpuQuota(read: ReadSystemFile): number | null {
  const quotas = groupFolders('cpu', read).flatMap((folder) => {
    const [quota, period] = read(`${folder}/cpu.max`)?.trim().split(' ') ?? [
      read(`${folder}/cpu.cfs_quota_us`)?.trim(),
      read(`${folder}/cpu.cfs_period_us`)?.trim(),
    ]
    const cores = Number(quota) / Number(period)
    return cores > 0 ? [cores] : []
  })
  return quotas.length === 0 ? null : Math.min(...quotas)
}

/** The tightest limit on memory; null = none. */
export function readGroupMemory(read: ReadSystemFile): GroupMemory | null {
  let tightest: GroupMemory | null = null
  for (const folder of groupFolders('memory', read)) {
    const memory = memoryOf(folder, read)
    if (
      memory &&
      (tightest === null || memory.limitBytes - memory.usedBytes < tightest.limitBytes - tightest.usedBytes)
    )
      tightest = memory
  }
  return tightest
}

/**
 * Share of the last ten seconds in which something stood still for want of memory, on the machine or within this group, whichever is more; 0 to 1.
 * Null where the kernel does not tell.
 */
export function readMemoryStalls(read: ReadSystemFile): number | null {
  const files = ['/proc/pressure/memory', ...groupFolders('memory', read).map((folder) => `${folder}/memory.pressure`)]
  const shares = files.flatMap((file) => {
    const percent = /^some avg10=([\d.]+)/m.exec(read(file) ?? '')?.[1]
    return percent === undefined ? [] : [Number(percent) / 100]
  })
  return shares.length === 0 ? null : Math.min(1, Math.max(...shares))
}

function memoryOf(folder: string, read: ReadSystemFile): GroupMemory | null {
  const limitBytes = Number(read(`${folder}/memory.max`) ?? read(`${folder}/memory.limit_in_bytes`) ?? Number.NaN)
  if (!(limitBytes < unlimitedFromBytes)) return null
  const allBytes = Number(read(`${folder}/memory.current`) ?? read(`${folder}/memory.usage_in_bytes`) ?? 0)
  const reclaimableBytes = Number(
    /^(?:total_)?inactive_file (\d+)$/m.exec(read(`${folder}/memory.stat`) ?? '')?.[1] ?? 0,
  )
  return { limitBytes, usedBytes: Math.max(0, allBytes - reclaimableBytes) }
}

/** The group's folder and those above it, up to the mount's root. */
function groupFolders(controller: string, read: ReadSystemFile): string[] {
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined) continue
    // The single hierarchy of version 2 has no controllers in its line; there may also be both versions, each with some controllers.
    if (controllers === '' && read(`${mount}/cgroup.controllers`) !== null) return upwards(mount, path)
    if (controllers?.split(',').includes(controller)) return upwards(`${mount}/${controller}`, path)
  }
  return []
}

function upwards(root: string, path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '')
  return Array.from({ length: parts.length + 1 }, (_, dropped) =>
    [root, ...parts.slice(0, parts.length - dropped)].join('/'),
  )
}
