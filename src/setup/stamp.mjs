/**
 * Stamps: small JSON files that say "this is done, from these inputs". A stamp is written last and atomically, so a
 * set-up that was interrupted at any moment finds either no stamp or a true one.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * The stamp at `path`, or null if there is none that can be read.
 * @param {string} path
 * @returns {Record<string, unknown> | null}
 */
export function readStamp(path) {
  try {
    /** @type {unknown} */
    const content = JSON.parse(readFileSync(path, 'utf8'))
    return typeof content === 'object' && content !== null ? { ...content } : null
  } catch {
    return null // Missing or damaged: the step is simply done again.
  }
}

/**
 * @param {string} path
 * @param {Record<string, unknown>} content
 */
export function writeStamp(path, content) {
  mkdirSync(dirname(path), { recursive: true })
  const partial = `${path}.${process.pid}`
  writeFileSync(partial, `${JSON.stringify(content, null, 2)}\n`, { flush: true })
  renameSync(partial, path)
}

/** @param {string} path */
export function removeStamp(path) {
  rmSync(path, { force: true })
}
