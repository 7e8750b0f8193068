/**
 * The settings as the server will see them. Their names and defaults are read from .env.example, which is made from the server's own list, because
 * the list itself needs packages that may not be there yet.
 */
import { readFileSync } from 'node:fs'
import { fromRoot } from '../paths.mjs'

/**
 * @typedef {object} Settings
 * @property {string[]} unknown names in the environment that look like settings and are none
 * @property {(name: string, fallback: string) => string} value
 * @property {(name: string, fallback: number) => number} number
 * @property {string[]} names all that there are
 */

/** Read by set-up, not by the server. */
const SET_UP_SETTINGS = ['HEARTH_PYTHON']

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [example] text of .env.example
 * @returns {Settings}
 */
export function readSettings(env, example = readFileSync(fromRoot('.env.example'), 'utf8')) {
  const defaults = new Map(
    Array.from(example.matchAll(/^#(HEARTH_\w+)=(.*)$/gm), ([, name = '', text = '']) => [name, text]),
  )
  /**
   * @param {string} name
   * @param {string} fallback
   */
  function value(name, fallback) {
    // An empty variable means the default, as it does to the server.
    return [env[name], defaults.get(name)].find((text) => text !== undefined && text !== '') ?? fallback
  }
  const names = [...defaults.keys(), ...SET_UP_SETTINGS]
  return {
    names,
    unknown: Object.keys(env).filter((name) => name.startsWith('HEARTH_') && !names.includes(name)),
    value,
    number(name, fallback) {
      const number = Number(value(name, String(fallback)))
      return Number.isFinite(number) ? number : fallback
    },
  }
}
