/** What the machine must bring: a Python that can make virtual environments, and some room on the disk. */
import { spawnSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { SetUpFailure } from './failure.mjs'
import { ROOT } from './paths.mjs'
import { megabytes } from './progress.mjs'

const MINIMUM_PYTHON = [3, 11]
const PYTHON_NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python']

/** Node packages 570 MB, Python packages 400 MB, starter models 190 MB, as much again while unpacking. */
const NEEDED_DISK_BYTES = 1_600_000_000

const PROBE = 'import sys, venv, ensurepip; print(*sys.version_info[:3], sys.executable, sep="|")'

/** @typedef {{ path: string, version: string }} Python */

/**
 * The Python to build the environment from: HEARTH_PYTHON, else the first suitable one on the PATH.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Python}
 */
export function findPython(env = process.env) {
  const chosen = env['HEARTH_PYTHON']
  const names = chosen === undefined || chosen === '' ? PYTHON_NAMES : [chosen]
  const refusals = []
  for (const name of names) {
    const found = probePython(name)
    if (typeof found !== 'string') return found
    refusals.push(`${name}: ${found}`)
  }
  throw new SetUpFailure(
    `no Python ${MINIMUM_PYTHON.join('.')} or newer was found.`,
    'Install one (on Debian and Ubuntu also its python3-venv package), or name it: HEARTH_PYTHON=/path/to/python3',
    { output: refusals.join('\n') },
  )
}

/** Refuses to start what would end with a full disk. */
export function checkDiskSpace() {
  const { bavail, bsize } = statfsSync(ROOT)
  if (bavail * bsize >= NEEDED_DISK_BYTES) return
  throw new SetUpFailure(
    `only ${megabytes(bavail * bsize)} are free below ${ROOT}; set-up needs ${megabytes(NEEDED_DISK_BYTES)}.`,
    'Make room, or clone Hearth to a larger disk.',
  )
}

/** What a person on this platform should know; null on Linux, where everything works. */
export function platformNote() {
  if (process.platform === 'linux') return null
  return `Note: on ${process.platform} Hearth runs without shared memory, core affinity and exact memory accounting.`
}

/**
 * A suitable Python, or why `name` is none.
 * @param {string} name
 * @returns {Python | string}
 */
function probePython(name) {
  const probe = spawnSync(name, ['-I', '-c', PROBE], { encoding: 'utf8' })
  if (probe.error !== undefined) return 'not found'
  if (probe.status !== 0) return `cannot make virtual environments (${probe.stderr.trim().split('\n').at(-1)})`
  const [major, minor, patch, path] = probe.stdout.trim().split('|')
  const version = `${major}.${minor}.${patch}`
  if (path === undefined || !isSuitable(Number(major), Number(minor))) return `is ${version}`
  return { path, version }
}

/**
 * @param {number} major
 * @param {number} minor
 */
function isSuitable(major, minor) {
  const [neededMajor = 0, neededMinor = 0] = MINIMUM_PYTHON
  return major > neededMajor || (major === neededMajor && minor >= neededMinor)
}
