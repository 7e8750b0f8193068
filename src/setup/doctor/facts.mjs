/** Everything the doctor looks at, read once; what is made of it is decided without touching the machine again. */

import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { ROOT } from '../paths.mjs'
import { readFolder } from './read-folder.mjs'
import { readMachine } from './read-machine.mjs'
import { readNamedPaths } from './read-named-paths.mjs'
import { readPrograms } from './read-programs.mjs'
import { readServer } from './read-server.mjs'
import { readSettings } from './settings.mjs'

/**
 * @typedef {object} Facts
 * @property {import('./settings.mjs').Settings} settings
 * @property {import('./read-programs.mjs').Programs} programs
 * @property {import('./read-machine.mjs').Machine} machine
 * @property {import('./read-folder.mjs').Folder} dataFolder
 * @property {import('./read-folder.mjs').Folder} sharedMemory
 * @property {import('./read-folder.mjs').Folder} temporary
 * @property {import('./read-named-paths.mjs').NamedPath[]} namedPaths
 * @property {import('./read-server.mjs').Server} server
 */

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Facts>}
 */
export async function readFacts(env) {
  const settings = readSettings(env)
  const dataFolder = resolve(ROOT, settings.value('HEARTH_DATA_DIR', './data'))
  return {
    settings,
    programs: readPrograms(env),
    machine: readMachine(),
    dataFolder: readFolder(dataFolder),
    sharedMemory: readFolder(settings.value('HEARTH_SHARED_MEMORY_DIR', '/dev/shm')),
    temporary: readFolder(tmpdir()),
    namedPaths: readNamedPaths(settings),
    server: await readServer({
      host: settings.value('HEARTH_HOST', '127.0.0.1'),
      port: settings.number('HEARTH_PORT', 4000),
      dataFolder,
    }),
  }
}
