/**
 * A file that several starter models have is brought once; the others get a hard link to it, or a copy where the disk has no links. Linked names
 * share their bytes, so a file is only ever replaced as a whole, never written to.
 */
import { copyFileSync, linkSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { digestOfFile } from './digest.mjs'
import { percent } from './progress.mjs'

/**
 * @typedef {import('./manifests.mjs').ModelFile} ModelFile
 * @typedef {import('./progress.mjs').Row} Row
 */

/**
 * Puts in place what one of `others` has; false when none of them is what `file` should be.
 * @param {ModelFile} file
 * @param {ModelFile[]} others their manifests say the same of them
 * @param {Row} row
 */
export async function takeFromEqual(file, others, row) {
  for (const other of others) {
    const { size = -1 } = statSync(other.path, { throwIfNoEntry: false }) ?? {}
    if (size === file.sizeBytes && (await takeFrom(other, file, row))) return true
  }
  return false
}

/**
 * @param {ModelFile} other
 * @param {ModelFile} file
 * @param {Row} row
 */
async function takeFrom(other, file, row) {
  const linked = `${file.path}.linked`
  rmSync(linked, { force: true }) // Of a set-up that was interrupted: copying into it would change the other model's file.
  try {
    linkOrCopy(other.path, linked)
    const digest = await digestOfFile(linked, (read) =>
      row.update(`${file.name}: linking to an equal file, checking ${percent(read, file.sizeBytes)}`),
    )
    if (digest !== file.sha256) return false
    renameSync(linked, file.path)
    return true
  } finally {
    rmSync(linked, { force: true })
  }
}

/**
 * @param {string} from
 * @param {string} to
 */
function linkOrCopy(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  try {
    linkSync(realpathSync(from), to)
  } catch {
    copyFileSync(from, to) // Another disk, a file system without links, somebody else's file.
  }
}
