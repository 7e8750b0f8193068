/** Memory, cores, limits and the clock, as the kernel shows them. Elsewhere than on Linux most of it is unknown, which is null. */
import { readFileSync } from 'node:fs'
import { freemem, totalmem } from 'node:os'
import { performance } from 'node:perf_hooks'
import { readControlGroup } from './control-group.mjs'

/** Enough to see a clock that is being set in leaps, too short to be noticed. */
const CLOCK_WATCH_MS = 50

/**
 * @typedef {object} Machine
 * @property {number} totalBytes
 * @property {number} availableBytes without swapping
 * @property {number | null} overcommit vm.overcommit_memory
 * @property {import('./control-group.mjs').ControlGroup} group
 * @property {number[] | null} cores that this process may run on
 * @property {number | null} openFilesMax Infinity = no limit. Node raises its own limit to the hard one, which is therefore the one that counts.
 * @property {number} nowMs wall clock, milliseconds since 1970
 * @property {number} clockLeapMs by how much the wall clock went ahead of the monotonic one while both were watched
 */

/** @param {string} path @returns {string | null} */
export function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null // Not this kernel, or not for us to see.
  }
}

/** @typedef {(path: string) => string | null} ReadText */

/**
 * @param {ReadText} [read]
 * @returns {Machine}
 */
export function readMachine(read = readText) {
  const memory = read('/proc/meminfo') ?? ''
  const overcommit = read('/proc/sys/vm/overcommit_memory')
  const cores = /^Cpus_allowed_list:\s+(\S+)$/m.exec(read('/proc/self/status') ?? '')?.[1]
  const openFiles = /^Max open files\s+\S+\s+(\S+)/m.exec(read('/proc/self/limits') ?? '')?.[1]
  const clockLeapMs = watchClock()
  return {
    totalBytes: kibibytes(memory, 'MemTotal') ?? totalmem(),
    availableBytes: kibibytes(memory, 'MemAvailable') ?? freemem(),
    overcommit: overcommit === null ? null : Number(overcommit),
    group: readControlGroup(read),
    cores: cores === undefined ? null : parseCores(cores),
    openFilesMax:
      openFiles === undefined ? null : openFiles === 'unlimited' ? Number.POSITIVE_INFINITY : Number(openFiles),
    nowMs: Date.now(),
    clockLeapMs,
  }
}

/**
 * @param {string} text
 * @param {string} name
 */
function kibibytes(text, name) {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]
  return found === undefined ? null : Number(found) * 1024
}

/**
 * `0-3,8` = cores 0, 1, 2, 3 and 8.
 * @param {string} text
 */
function parseCores(text) {
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset)
  })
}

function watchClock() {
  const [wallAt, steadyAt] = [Date.now(), performance.now()]
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, CLOCK_WATCH_MS)
  return Date.now() - wallAt - (performance.now() - steadyAt)
}
