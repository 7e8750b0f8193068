/** Step: the packages of package-lock.json in node_modules, exactly. */
import { existsSync, readFileSync } from 'node:fs'
import { fromRoot } from './paths.mjs'
import { runCommand } from './command.mjs'
import { digestOfTexts } from './digest.mjs'
import { readStamp, writeStamp } from './stamp.mjs'

const STAMP = fromRoot('node_modules', '.hearth.json')
const COUNT_INTERVAL_MS = 500

/** @typedef {{ optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage */

/** Whether node_modules holds what the lock file says. npm removes the folder, stamp included, before it changes it. */
export function nodePackagesAreReady() {
  return readStamp(STAMP)?.['inputs'] === inputsDigest()
}

/**
 * Scripts of packages are not run: none that Hearth uses needs one, and they are the way in for a bad package.
 * @param {{ row: import('./progress.mjs').Row, lockFile: number }} context
 */
export async function bringNodePackages({ row, lockFile }) {
  const paths = expectedPackagePaths()
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
  writeStamp(STAMP, { inputs: inputsDigest() })
  row.done(`${paths.length} packages installed`)
}

function inputsDigest() {
  const lock = readFileSync(fromRoot('package-lock.json'), 'utf8')
  return digestOfTexts(lock, process.platform, process.arch)
}

/** Folders that npm will fill on this platform. */
function expectedPackagePaths() {
  /** @type {{ packages: Record<string, LockedPackage> }} */
  const lock = JSON.parse(readFileSync(fromRoot('package-lock.json'), 'utf8'))
  return Object.entries(lock.packages)
    .filter(([path, locked]) => path !== '' && isForThisPlatform(locked))
    .map(([path]) => path)
}

/** @param {LockedPackage} locked */
function isForThisPlatform(locked) {
  const here = { os: process.platform, cpu: process.arch, libc: 'glibc' }
  return (
    (locked.os?.includes(here.os) ?? true) &&
    (locked.cpu?.includes(here.cpu) ?? true) &&
    (locked.libc?.includes(here.libc) ?? true)
  )
}
