/** Step: the packages of package-lock.json in node_modules, exactly. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { runCommand } from './command.mjs'
import { digestOfTexts } from './digest.mjs'
import { fromRoot } from './paths.mjs'
import { readStamp, writeStamp } from './stamp.mjs'

const LOCK = fromRoot('package-lock.json')
const STAMP = fromRoot('node_modules', '.hearth.json')
const COUNT_INTERVAL_MS = 500

/** What npm writes when it has finished: the lock file of the packages that are really there. */
const INSTALLED_LOCK = fromRoot('node_modules', '.package-lock.json')

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage
 */

/** Whether node_modules holds what the lock file says, and npm has not been at it since that was found. */
export function nodePackagesAreReady() {
  const stamp = readStamp(STAMP)
  return stamp !== null && stamp['inputs'] === inputsDigest() && stamp['installedAt'] === installedAt()
}

/**
 * Scripts of packages are not run: none that Hearth uses needs one, and they are the way in for a bad package.
 * @param {{ row: import('./progress.mjs').Row, lockFile: number }} context
 */
export async function bringNodePackages({ row, lockFile }) {
  if (somebodyInstalledThem()) {
    remember()
    row.done('as locked already')
    return
  }
  const paths = Object.keys(packagesToExpect(LOCK))
  const counting = setInterval(() => {
    const present = paths.filter((path) => existsSync(fromRoot(path, 'package.json'))).length
    row.update(`${present} of ${paths.length} packages`)
  }, COUNT_INTERVAL_MS)
  try {
    await runCommand('npm', ['ci', '--ignore-scripts', '--include=dev', '--include=optional'], {
      purpose: 'Installing the node packages',
      advice: 'Check that the npm registry can be reached (`npm ping`), then repeat the command.',
      env: { npm_config_loglevel: 'error' },
      lockFile,
    })
  } finally {
    clearInterval(counting)
  }
  remember()
  row.done(`${paths.length} packages installed`)
}

/** Whether npm was run by hand and left exactly the locked packages. */
function somebodyInstalledThem() {
  if (!existsSync(INSTALLED_LOCK)) return false
  const installed = packagesToExpect(INSTALLED_LOCK)
  return Object.entries(packagesToExpect(LOCK)).every(
    ([path, { version, integrity }]) =>
      installed[path]?.version === version && installed[path]?.integrity === integrity && existsSync(fromRoot(path)),
  )
}

function remember() {
  writeStamp(STAMP, { inputs: inputsDigest(), installedAt: installedAt() })
}

/** When npm last finished, in milliseconds since 1970; null if it never has. */
function installedAt() {
  return statSync(INSTALLED_LOCK, { throwIfNoEntry: false })?.mtimeMs ?? null
}

function inputsDigest() {
  return digestOfTexts(readFileSync(LOCK, 'utf8'), process.platform, process.arch)
}

/**
 * The packages of a lock file that npm installs on this platform, by folder.
 * @param {string} lockPath
 * @returns {Record<string, LockedPackage>}
 */
function packagesToExpect(lockPath) {
  /** @type {{ packages: Record<string, LockedPackage> }} */
  const lock = JSON.parse(readFileSync(lockPath, 'utf8'))
  const wanted = Object.entries(lock.packages).filter(([path, locked]) => path !== '' && isExpected(locked))
  return Object.fromEntries(wanted)
}

/** @param {LockedPackage} locked */
function isExpected(locked) {
  // Optional packages for no platform in particular are peers that nobody asked for.
  if (locked.optional === true && locked.os === undefined) return false
  return (
    (locked.os?.includes(process.platform) ?? true) &&
    (locked.cpu?.includes(process.arch) ?? true) &&
    (locked.libc?.includes('glibc') ?? true)
  )
}
