/** Where things lie in the checkout. */
import { join, resolve } from 'node:path'

/** The folder that holds package.json. */
export const ROOT = resolve(import.meta.dirname, '../..')

/** What set-up remembers between runs, and what it is in the middle of. Safe to delete. */
export const SET_UP_FOLDER = join(ROOT, '.hearth', 'setup')

export const VENV = join(ROOT, '.venv')
export const VENV_PYTHON = join(VENV, 'bin', 'python')

/** @param {...string} segments */
export function fromRoot(...segments) {
  return join(ROOT, ...segments)
}
