/**
 * One set-up at a time in one checkout.
 *
 * The lock is flock(2) on an open file. It belongs to the open file, not to a process: commands of set-up inherit the
 * descriptor, so if this process is killed while pip goes on, the next set-up waits for pip. The kernel releases it
 * when the last holder is gone; no lock can be left behind. Node has no flock, so Python locks the descriptor we pass.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { SetUpFailure } from './failure.mjs'
import { SET_UP_FOLDER } from './paths.mjs'

const LOCK_NOW = 'import fcntl; fcntl.flock(3, fcntl.LOCK_EX | fcntl.LOCK_NB)'
const LOCK_WHEN_FREE = 'import fcntl; fcntl.flock(3, fcntl.LOCK_EX)'

/**
 * Runs `work` as the only set-up of this checkout, waiting for another one to finish first.
 * @param {string} python any Python 3
 * @param {(lockFile: number) => Promise<void>} work gets the lock's descriptor, for its commands to inherit
 * @param {string} [folder]
 */
export async function withSetUpLock(python, work, folder = SET_UP_FOLDER) {
  mkdirSync(folder, { recursive: true })
  const lockFile = openSync(join(folder, 'lock'), 'a')
  try {
    if (!tryLock(python, LOCK_NOW, lockFile)) {
      process.stderr.write('Another set-up is at work in this folder; waiting for it to finish.\n')
      if (!tryLock(python, LOCK_WHEN_FREE, lockFile)) {
        throw new SetUpFailure(
          `${folder} cannot be locked.`,
          'It must be on a file system with file locks, and writable for you.',
        )
      }
    }
    await work(lockFile)
  } finally {
    closeSync(lockFile)
  }
}

/**
 * @param {string} python
 * @param {string} script
 * @param {number} lockFile
 */
function tryLock(python, script, lockFile) {
  return spawnSync(python, ['-I', '-c', script], { stdio: ['ignore', 'ignore', 'ignore', lockFile] }).status === 0
}
