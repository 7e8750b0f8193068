/**
 * Limits of a container or a service manager, read as the server reads them (src/runtime/devices/control-groups.ts, which needs a newer Node; a test
 * holds the two together). A group is bound by its ancestors too, so the least value on the way up counts.
 */
const MOUNT = '/sys/fs/cgroup'
/** Version 1 says "no limit" with a number near 2^63. */
const UNLIMITED_FROM_BYTES = 2 ** 60

/**
 * @typedef {object} ControlGroup
 * @property {1 | 2 | null} version null = none
 * @property {{ limitBytes: number, usedBytes: number } | null} memory the tightest limit; used = without what the kernel can take back
 * @property {number | null} cpuCores cores' worth of CPU time per second; null = no limit
 */

/**
 * @param {import('./read-machine.mjs').ReadText} read
 * @returns {ControlGroup}
 */
export function readControlGroup(read) {
  const memories = groupFolders('memory', read).flatMap((folder) => memoryOf(folder, read))
  const quotas = groupFolders('cpu', read).flatMap((folder) => quotaOf(folder, read))
  const left = (/** @type {{ limitBytes: number, usedBytes: number }} */ memory) => memory.limitBytes - memory.usedBytes
  return {
    version: read('/proc/self/cgroup') === null ? null : read(`${MOUNT}/cgroup.controllers`) === null ? 1 : 2,
    memory: memories.sort((a, b) => left(a) - left(b))[0] ?? null,
    cpuCores: quotas.length === 0 ? null : Math.min(...quotas),
  }
}

/**
 * @param {string} folder
 * @param {import('./read-machine.mjs').ReadText} read
 */
function memoryOf(folder, read) {
  const limitBytes = Number(read(`${folder}/memory.max`) ?? read(`${folder}/memory.limit_in_bytes`) ?? Number.NaN)
  if (!(limitBytes < UNLIMITED_FROM_BYTES)) return []
  const allBytes = Number(read(`${folder}/memory.current`) ?? read(`${folder}/memory.usage_in_bytes`) ?? 0)
  const reclaimable = /^(?:total_)?inactive_file (\d+)$/m.exec(read(`${folder}/memory.stat`) ?? '')?.[1] ?? 0
  return [{ limitBytes, usedBytes: Math.max(0, allBytes - Number(reclaimable)) }]
}

/**
 * @param {string} folder
 * @param {import('./read-machine.mjs').ReadText} read
 */
function quotaOf(folder, read) {
  const [quota, period] = read(`${folder}/cpu.max`)?.trim().split(' ') ?? [
    read(`${folder}/cpu.cfs_quota_us`)?.trim(),
    read(`${folder}/cpu.cfs_period_us`)?.trim(),
  ]
  const cores = Number(quota) / Number(period)
  return cores > 0 ? [cores] : []
}

/**
 * The group's folder and those above it, up to the mount's root.
 * @param {string} controller
 * @param {import('./read-machine.mjs').ReadText} read
 * @returns {string[]}
 */
function groupFolders(controller, read) {
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined) continue
    if (controllers === '' && read(`${MOUNT}/cgroup.controllers`) !== null) return upwards(MOUNT, path)
    if (controllers?.split(',').includes(controller)) return upwards(`${MOUNT}/${controller}`, path)
  }
  return []
}

/**
 * @param {string} root
 * @param {string} path
 */
function upwards(root, path) {
  const parts = path.split('/').filter((part) => part !== '')
  return Array.from({ length: parts.length + 1 }, (_, dropped) =>
    [root, ...parts.slice(0, parts.length - dropped)].join('/'),
  )
}
