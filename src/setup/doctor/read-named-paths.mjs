/** What settings name besides the folders that Hearth writes to: is it there, and is it a folder or a file as it should be? */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ROOT } from '../paths.mjs'

/**
 * @typedef {object} NamedPath
 * @property {string} setting
 * @property {string} path absolute
 * @property {'folder' | 'file'} wanted
 * @property {boolean} isThere
 */

/**
 * @param {import('./settings.mjs').Settings} settings
 * @returns {NamedPath[]}
 */
export function readNamedPaths(settings) {
  return [
    ...pathsOf(settings, 'HEARTH_MODEL_PATHS', 'folder'),
    ...pathsOf(settings, 'HEARTH_PROGRAM_PATHS', 'folder'),
    ...pathsOf(settings, 'HEARTH_DEVICES', 'file'),
  ]
}

/**
 * @param {import('./settings.mjs').Settings} settings
 * @param {string} setting
 * @param {NamedPath['wanted']} wanted
 * @returns {NamedPath[]}
 */
function pathsOf(settings, setting, wanted) {
  const text = settings.value(setting, '')
  const given = wanted === 'folder' ? text.split(',').map((part) => part.trim()) : [text]
  return given
    .filter((part) => part !== '')
    .map((part) => {
      const path = resolve(ROOT, part)
      const found = statSync(path, { throwIfNoEntry: false })
      return {
        setting,
        path,
        wanted,
        isThere: wanted === 'folder' ? found?.isDirectory() === true : found?.isFile() === true,
      }
    })
}
