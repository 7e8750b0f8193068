/**
 * `npm run lock:node`: adds to package-lock.json what npm leaves out when the registry it asked does not carry every
 * platform's build of an optional package. `npm ci` refuses such a lock file on every machine.
 *
 * An added entry has a version and a platform but no digest, because there was nothing to digest: it says "this
 * exists elsewhere". Entries for Linux on x64 and arm64 come from npm and carry their digests.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fromRoot } from './paths.mjs'

/**
 * @typedef {{ version?: string, optional?: boolean, dev?: boolean, os?: string[], cpu?: string[], libc?: string[],
 *   optionalDependencies?: Record<string, string> }} LockedPackage
 * @typedef {Record<string, LockedPackage>} LockedPackages
 */

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const PROCESSORS = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64']

if (process.argv[1] === import.meta.filename) completeLockFile(fromRoot('package-lock.json'))

/** @param {string} path */
function completeLockFile(path) {
  /** @type {{ packages: LockedPackages }} */
  const lock = JSON.parse(readFileSync(path, 'utf8'))
  const missing = missingPlatformPackages(lock.packages)
  for (const { name, locked } of missing) lock.packages[`node_modules/${name}`] = locked
  lock.packages = sortedByPath(lock.packages)
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
  console.log(`package-lock.json: ${missing.length} entries added for other platforms.`)
}

/**
 * Optional packages that some locked package names and the lock file does not hold.
 * @param {LockedPackages} packages
 * @returns {{ name: string, locked: LockedPackage }[]}
 */
export function missingPlatformPackages(packages) {
  return Object.entries(packages).flatMap(([parentPath, parent]) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name]) => !isLocked(packages, parentPath, name))
      .map(([name, version]) => ({ name, locked: { version, ...platformOf(name), ...inherited(parent) } })),
  )
}

/**
 * Whether Node's lookup from `parentPath` upwards finds `name`.
 * @param {LockedPackages} packages
 * @param {string} parentPath
 * @param {string} name
 */
function isLocked(packages, parentPath, name) {
  for (let path = parentPath; ; path = path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/')))) {
    if (packages[`${path === '' ? '' : `${path}/`}node_modules/${name}`] !== undefined) return true
    if (!path.includes('/node_modules/')) return packages[`node_modules/${name}`] !== undefined
  }
}

/**
 * Native builds are named after their platform: `@scope/binding-linux-arm64-musl`.
 * @param {string} name
 */
function platformOf(name) {
  const words = name.slice(name.indexOf('/') + 1).split('-')
  const system = SYSTEMS.find((known) => words.includes(known))
  const processor = PROCESSORS.find((known) => words.includes(known))
  if (system === undefined || processor === undefined) throw new Error(`${name} does not name a platform.`)
  const libc = words.some((word) => word.startsWith('musl')) ? { libc: ['musl'] } : {}
  return { os: [system], cpu: [processor], ...libc }
}

/** @param {LockedPackage} parent */
function inherited(parent) {
  return parent.dev === true ? { dev: true, optional: true } : { optional: true }
}

/** @param {LockedPackages} packages */
function sortedByPath(packages) {
  return Object.fromEntries(Object.entries(packages).sort(([left], [right]) => left.localeCompare(right, 'en')))
}
