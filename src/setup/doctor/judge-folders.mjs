/** The folders that Hearth writes to: its data, shared memory for tensors, temporary files; and what settings name to be read. */
import { fail, ok, size, warn } from './finding.mjs'

const MEBIBYTE = 1024 ** 2

/** Submissions stop below this by default (HEARTH_DISK_RESERVE_BYTES). */
const RESERVE_BYTES = 256 * MEBIBYTE
const WISHED_BYTES = 2048 * MEBIBYTE
const INODES_NEEDED = 100
const INODES_WISHED = 10_000
const SYNC_MS_WISHED = 100
/** HEARTH_TENSOR_POOL_BYTES, as it is by default. */
const TENSOR_POOL_BYTES = 256 * MEBIBYTE
const TEMPORARY_WISHED_BYTES = 64 * MEBIBYTE

const NETWORK = /^(nfs\d?|cifs|smb\d?|smbfs|afs|ceph|glusterfs|lustre|9p|virtiofs|fuse\..*|vboxsf|drvfs)$/
const LAYERED = /^(overlay|overlayfs|aufs|fuse\.fuse-overlayfs)$/
const IN_MEMORY = /^(tmpfs|ramfs)$/

/**
 * @param {import('./facts.mjs').Facts} facts
 * @returns {import('./finding.mjs').Finding[]}
 */
export function judgeFolders(facts) {
  return [
    ...judgeDataFolder(facts),
    ...judgeSharedMemory(facts),
    judgeTemporary(facts),
    ...facts.namedPaths.flatMap(judgeNamedPath),
  ]
}

/** @typedef {import('./facts.mjs').Facts} Facts */
/** @typedef {import('./read-folder.mjs').Folder} Folder */

/** @param {Facts} facts */
function judgeDataFolder({ dataFolder, settings }) {
  const reserve = settings.number('HEARTH_DISK_RESERVE_BYTES', RESERVE_BYTES)
  return [
    judgeWriting(dataFolder),
    judgeDurability(dataFolder),
    judgeSpace(dataFolder, reserve),
    ...judgeInodes(dataFolder),
  ]
}

/** @param {Folder} folder */
function judgeWriting({ path, refusal, exists }) {
  const name = 'data folder'
  if (refusal === null) return ok(name, exists ? `${path} can be written.` : `${path} will be made at the first start.`)
  if (refusal.startsWith('ENOTDIR'))
    return fail(name, `${path} is a file, or lies below one.`, 'Choose a folder: HEARTH_DATA_DIR=/path/to/folder')
  return fail(
    name,
    `${path} cannot be written: ${refusal}`,
    `sudo chown -R "$(id -un)" ${path}, or choose another: HEARTH_DATA_DIR=/path/to/folder`,
  )
}

/** @param {Folder} folder */
function judgeDurability({ path, fileSystem, syncMs }) {
  const name = 'data disk'
  const elsewhere = 'Put it on a local disk: HEARTH_DATA_DIR=/path/on/a/local/disk'
  const stands = `${path} is on ${fileSystem ?? 'an unknown file system'}`
  if (fileSystem !== null && LAYERED.test(fileSystem)) {
    return warn(
      name,
      `${stands}, a layer of a container: jobs and results go when the container is removed.`,
      'Mount a volume there: docker run -v hearth-data:/data -e HEARTH_DATA_DIR=/data',
    )
  }
  if (fileSystem !== null && NETWORK.test(fileSystem))
    return fail(name, `${stands}: the database needs shared memory and locks that only a local disk gives.`, elsewhere)
  if (fileSystem !== null && IN_MEMORY.test(fileSystem))
    return warn(name, `${stands}: everything is lost when the machine stops.`, elsewhere)
  if (syncMs !== null && syncMs > SYNC_MS_WISHED)
    return warn(
      name,
      `${stands} and took ${Math.round(syncMs)} ms to confirm a page; every submission waits for that.`,
      elsewhere,
    )
  return ok(name, syncMs === null ? `${stands}.` : `${stands} and confirms a page in ${syncMs.toFixed(1)} ms.`)
}

/**
 * @param {Folder} folder
 * @param {number} reserveBytes
 */
function judgeSpace({ path, freeBytes, totalBytes }, reserveBytes) {
  const message = `${size(freeBytes)} of ${size(totalBytes)} are free for ${path}`
  const mend = `Make room (see what takes it: du -xh --max-depth=2 ${path} | sort -h | tail), or choose another disk: HEARTH_DATA_DIR=/path`
  if (freeBytes < reserveBytes)
    return fail('disk space', `${message}; below ${size(reserveBytes)} nothing is accepted.`, mend)
  if (freeBytes < WISHED_BYTES) return warn('disk space', `${message}; artifacts will soon fill it.`, mend)
  return ok('disk space', `${message}.`)
}

/** @param {Folder} folder */
function judgeInodes({ path, freeInodes, totalInodes }) {
  if (freeInodes === null || totalInodes === null) return []
  const message = `${freeInodes} of ${totalInodes} files more can be made on the disk of ${path}`
  const mend = `Remove files that nobody needs (see where they are: du --inodes -xd 2 ${path} | sort -n | tail)`
  if (freeInodes < INODES_NEEDED) return [fail('inodes', `${message}.`, mend)]
  if (freeInodes < INODES_WISHED) return [warn('inodes', `${message}; each artifact is one.`, mend)]
  return [ok('inodes', `${message}.`)]
}

/** @param {Facts} facts */
function judgeSharedMemory({ programs: { platform }, sharedMemory, settings }) {
  if (platform !== 'linux') return []
  const name = 'shared memory'
  const { path, exists, refusal, freeBytes, totalBytes } = sharedMemory
  const wished = settings.number('HEARTH_TENSOR_POOL_BYTES', TENSOR_POOL_BYTES)
  const instead = 'large tensors will be copied through a socket instead, which is slower'
  const mend = `docker run --shm-size=${Math.ceil((2 * wished) / MEBIBYTE)}m; on a machine of your own: sudo mount -o remount,size=1G ${path}`
  if (!exists) return [warn(name, `There is no ${path}: ${instead}.`, mend)]
  if (refusal !== null)
    return [warn(name, `${path} cannot be written (${refusal}): ${instead}.`, `sudo chmod 1777 ${path}`)]
  // The pool never takes more than half of what is free.
  if (freeBytes / 2 < wished) {
    const pool = size(freeBytes / 2)
    return [
      warn(
        name,
        `${size(freeBytes)} of ${size(totalBytes)} are free in ${path}: the pool of tensors gets ${pool} instead of ${size(wished)}; beyond it ${instead}.`,
        mend,
      ),
    ]
  }
  return [
    ok(
      name,
      `${size(freeBytes)} of ${size(totalBytes)} are free in ${path}; the pool of tensors takes up to ${size(wished)}.`,
    ),
  ]
}

/** @param {Facts} facts */
function judgeTemporary({ temporary: { path, refusal, freeBytes } }) {
  const mend = 'Choose another: export TMPDIR=/path/to/folder'
  if (refusal !== null) return warn('temporary files', `${path} cannot be written: ${refusal}`, mend)
  if (freeBytes < TEMPORARY_WISHED_BYTES)
    return warn('temporary files', `Only ${size(freeBytes)} are free in ${path}.`, mend)
  return ok('temporary files', `${path}, ${size(freeBytes)} free.`)
}

/**
 * A start without a folder of models goes on and says so in its log; without the devices that were declared nothing starts.
 * @param {import('./read-named-paths.mjs').NamedPath} named
 */
function judgeNamedPath({ setting, path, wanted, isThere }) {
  if (isThere) return []
  const message = `There is no ${wanted} ${path}, which ${setting} names`
  if (wanted === 'file')
    return [fail('settings', `${message}.`, `Correct ${setting}, or leave it out: unset ${setting}`)]
  const lost = setting === 'HEARTH_PROGRAM_PATHS' ? 'no programs' : 'no models'
  return [warn('settings', `${message}: ${lost} are found there.`, `mkdir -p ${path}, or correct ${setting}`)]
}
