/** A folder that Hearth writes to: what it stands on, how much room there is, and whether a file can really be made and synced there. */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { readText } from './read-machine.mjs'

/** Entries whose times are compared with the clock. */
const ENTRIES_LOOKED_AT = 1000

/**
 * @typedef {object} Folder
 * @property {string} path
 * @property {boolean} exists a folder that does not is judged by the nearest one above it, where it would be made
 * @property {string | null} fileSystem such as ext4; null = unknown
 * @property {number} totalBytes
 * @property {number} freeBytes for this user
 * @property {number | null} totalInodes null where the file system makes them as needed
 * @property {number | null} freeInodes
 * @property {string | null} refusal why no file can be written; null when one was
 * @property {number | null} syncMs how long the disk took to confirm one page
 * @property {number} skewMs by how much the file system's clock was ahead of this machine's
 * @property {number | null} newestMs when the newest entry changed
 */

/**
 * @param {string} path
 * @returns {Folder}
 */
export function readFolder(path) {
  const standing = nearestFolder(path)
  const { bavail, bsize, blocks, files, ffree } = statfsSync(standing)
  return {
    path,
    exists: standing === path,
    fileSystem: fileSystemOf(standing),
    totalBytes: blocks * bsize,
    freeBytes: bavail * bsize,
    totalInodes: files > 0 ? files : null,
    freeInodes: files > 0 ? ffree : null,
    ...tryWriting(standing),
    newestMs: newestIn(standing),
  }
}

/** @param {string} path @returns {string} */
function nearestFolder(path) {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path))
}

/**
 * @param {string} folder
 * @returns {Pick<Folder, 'refusal' | 'syncMs' | 'skewMs'>}
 */
function tryWriting(folder) {
  const file = join(folder, `.hearth-doctor-${process.pid}`)
  try {
    const descriptor = openSync(file, 'wx')
    try {
      const startedAt = performance.now()
      writeSync(descriptor, Buffer.alloc(4096))
      fsyncSync(descriptor)
      const syncMs = performance.now() - startedAt
      return { refusal: null, syncMs, skewMs: fstatSync(descriptor).mtimeMs - Date.now() }
    } finally {
      closeSync(descriptor)
      rmSync(file, { force: true })
    }
  } catch (error) {
    return { refusal: error instanceof Error ? error.message : String(error), syncMs: null, skewMs: 0 }
  }
}

/**
 * The type of the mount that holds a folder: of all that begin its path the longest, and of those the last one mounted.
 * @param {string} folder
 * @param {string | null} [mounts] as in /proc/self/mountinfo
 * @returns {string | null}
 */
export function fileSystemOf(folder, mounts = readText('/proc/self/mountinfo')) {
  let best = { length: -1, type: /** @type {string | null} */ (null) }
  for (const line of (mounts ?? '').split('\n')) {
    const [fields = '', rest = ''] = line.split(' - ')
    const point = fields
      .split(' ')[4]
      ?.replaceAll(/\\(\d{3})/g, (_, /** @type {string} */ code) => String.fromCharCode(Number.parseInt(code, 8)))
    const type = rest.split(' ')[0]
    if (point === undefined || type === undefined || type === '') continue
    const isAbove = point === '/' || folder === point || folder.startsWith(`${point}/`)
    if (isAbove && point.length >= best.length) best = { length: point.length, type }
  }
  return best.type
}

/** @param {string} folder */
function newestIn(folder) {
  try {
    const times = readdirSync(folder)
      .slice(0, ENTRIES_LOOKED_AT)
      .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0)
    return times.length === 0 ? null : Math.max(...times)
  } catch {
    return null // Not for us to read; `tryWriting` says so.
  }
}
