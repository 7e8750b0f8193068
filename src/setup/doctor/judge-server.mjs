/** What runs already: the port, the lock on the data folder, the database. */
import { fail, ok, warn } from './finding.mjs'

/** What the server takes for loopback: src/server/gate/loopback.ts. */
const LOOPBACK = /^((.*\.)?localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/

/**
 * @param {Pick<import('./facts.mjs').Facts, 'server' | 'dataFolder'>} facts
 * @returns {import('./finding.mjs').Finding[]}
 */
export function judgeServer(facts) {
  return [judgePort(facts.server), judgeLock(facts), ...judgeDatabase(facts)]
}

/** @param {import('./read-server.mjs').Server} server */
function judgePort({ host, port, portRefusal, health }) {
  const where = `${host}:${port}`
  if (!LOOPBACK.test(host))
    return fail(
      'port',
      `The server refuses to listen on ${host}, because it has no credentials that could protect it.`,
      'unset HEARTH_HOST; for callers elsewhere put a proxy with credentials in front (HEARTH_ALLOWED_HOSTS, HEARTH_PUBLIC_URL)',
    )
  if (portRefusal === null) return ok('port', `${where} is free.`)
  if (health === 'ok') return ok('port', `Hearth is running at http://${where}/graphql.`)
  if (health === 'degraded') {
    return warn(
      'port',
      `Hearth is running at http://${where}/graphql, but has workers that do not answer.`,
      `curl http://${where}/healthz names them; they are replaced by themselves.`,
    )
  }
  if (portRefusal === 'EADDRINUSE') {
    return fail(
      'port',
      `${where} is taken by another program.`,
      `HEARTH_PORT=${port + 1} npm start (which program it is: ss -ltnp 'sport = :${port}')`,
    )
  }
  if (portRefusal === 'EACCES')
    return fail('port', `${where} may not be opened by this user.`, 'Choose one from 1024 up: HEARTH_PORT=4000')
  return fail('port', `${where} cannot be opened (${portRefusal}).`, 'HEARTH_HOST=127.0.0.1 HEARTH_PORT=4000')
}

/** @param {Pick<import('./facts.mjs').Facts, 'server' | 'dataFolder'>} facts */
function judgeLock({ server: { holder, health }, dataFolder: { path } }) {
  if (holder === null) return ok('lock', `Nobody works on ${path}.`)
  const who = holder > 0 ? `Process ${holder}` : 'A process outside this container'
  if (health !== null) return ok('lock', `${who} works on ${path}: the server that is running.`)
  return warn(
    'lock',
    `${who} works on ${path}, but listens elsewhere: a second server cannot start on it.`,
    holder > 0
      ? `End it (kill ${holder}), or use another folder: HEARTH_DATA_DIR=/path`
      : 'End it, or use another folder: HEARTH_DATA_DIR=/path',
  )
}

/** @param {Pick<import('./facts.mjs').Facts, 'server' | 'dataFolder'>} facts */
function judgeDatabase({ server: { unknownMigrations }, dataFolder: { path } }) {
  if (unknownMigrations === null) return []
  if (unknownMigrations === 0) return [ok('database', `The one in ${path} fits this version.`)]
  return [
    fail(
      'database',
      `The one in ${path} was written by a newer version (${unknownMigrations} changes unknown here).`,
      'git pull, or use another folder: HEARTH_DATA_DIR=/path',
    ),
  ]
}
