/** Whether a server runs here already, and whether one could: the port, the lock on the data folder, the age of the database. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fromRoot } from '../paths.mjs'
import { pinnedNode } from '../pinned-node.mjs'
import { readText } from './read-machine.mjs'

const ANSWER_MS_MAX = 3000

/**
 * @typedef {object} Server
 * @property {string} host
 * @property {number} port
 * @property {string | null} portRefusal code such as EADDRINUSE; null = free
 * @property {'ok' | 'degraded' | null} health of the Hearth that listens there; null = none does
 * @property {number | null} holder process that holds the data folder's lock
 * @property {number | null} unknownMigrations how many the database has that this program does not know; null = no database, or nothing to read it with
 */

/**
 * @param {{ host: string, port: number, dataFolder: string }} where
 * @returns {Promise<Server>}
 */
export async function readServer({ host, port, dataFolder }) {
  const portRefusal = await tryListening(host, port)
  return {
    host,
    port,
    portRefusal,
    health: portRefusal === 'EADDRINUSE' ? await askHealth(host, port) : null,
    holder: holderOf(join(dataFolder, 'lock.sqlite')),
    unknownMigrations: unknownMigrations(join(dataFolder, 'hearth.sqlite')),
  }
}

/**
 * @param {string} host
 * @param {number} port
 * @returns {Promise<string | null>}
 */
export function tryListening(host, port) {
  return new Promise((resolve) => {
    const server = createServer()
    const refuse = (/** @type {Error} */ error) => resolve('code' in error ? String(error.code) : error.message)
    server.once('error', refuse)
    try {
      server.listen(port, host, () => server.close(() => resolve(null)))
    } catch (error) {
      // A port that is no port: 70000.
      refuse(/** @type {Error} */ (error))
    }
  })
}

/**
 * @param {string} host
 * @param {number} port
 * @returns {Promise<'ok' | 'degraded' | null>}
 */
async function askHealth(host, port) {
  try {
    const address = `http://${host.includes(':') ? `[${host}]` : host}:${port}/healthz`
    const response = await fetch(address, { signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    const answer = /** @type {unknown} */ (await response.json())
    if (typeof answer !== 'object' || answer === null || !('silentWorkers' in answer) || !('status' in answer))
      return null
    return answer.status === 'ok' ? 'ok' : 'degraded'
  } catch {
    return null // Something else than Hearth, or nothing that answers.
  }
}

/**
 * Asks the kernel instead of trying the lock: a try could keep a server that starts right now from getting it.
 * @param {string} lockFile
 * @param {string | null} [locks] as in /proc/locks
 * @returns {number | null}
 */
export function holderOf(lockFile, locks = readText('/proc/locks')) {
  const inode = statSync(lockFile, { throwIfNoEntry: false })?.ino
  if (inode === undefined) return null
  for (const line of (locks ?? '').split('\n')) {
    const [, pid, file] = /\bWRITE\s+(-?\d+)\s+\S+:(\d+) /.exec(line) ?? []
    if (Number(file) === inode) return Number(pid)
  }
  return null
}

/**
 * @param {string} database
 * @returns {number | null}
 */
function unknownMigrations(database) {
  if (!existsSync(database)) return null
  /** @type {{ entries: { when: number }[] }} */
  const journal = JSON.parse(readFileSync(fromRoot('migrations', 'meta', '_journal.json'), 'utf8'))
  const applied = appliedMigrations(database)
  return applied?.filter((when) => !journal.entries.some((entry) => entry.when === when)).length ?? null
}

/**
 * @param {string} database
 * @returns {number[] | null}
 */
function appliedMigrations(database) {
  try {
    const { status, stdout } = spawnSync(pinnedNode(), ['--no-warnings', '-e', READ_MIGRATIONS, database], {
      encoding: 'utf8',
      timeout: ANSWER_MS_MAX,
    })
    return status === 0 ? /** @type {number[]} */ (JSON.parse(stdout)) : null
  } catch {
    return null // Without the pinned Node nothing here can read a database; set-up is reported on its own.
  }
}

const READ_MIGRATIONS = `
const { DatabaseSync } = require('node:sqlite')
const rows = new DatabaseSync(process.argv[1], { readOnly: true }).prepare('SELECT created_at AS time FROM __drizzle_migrations').all()
console.log(JSON.stringify(rows.map(({ time }) => Number(time))))`
