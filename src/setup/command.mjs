/** Runs one command of set-up, line by line, and turns its failure into a SetUpFailure. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { SetUpFailure } from './failure.mjs'
import { ROOT } from './paths.mjs'

const OUTPUT_TAIL_LINES = 25

/**
 * @typedef {object} CommandOptions
 * @property {string} purpose what the command is for: "Installing the node packages"
 * @property {string} advice what to do when it fails
 * @property {NodeJS.ProcessEnv} [env] added to this process's environment; undefined removes
 * @property {(line: string) => void} [onLine]
 * @property {number} [lockFile] the set-up lock's descriptor, inherited so that the lock lasts as long as the command
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {CommandOptions} options
 * @returns {Promise<void>}
 */
export async function runCommand(command, args, options) {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', options.lockFile ?? 'ignore'],
  })
  /** @type {string[]} */
  const tail = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: /** @type {import('node:stream').Readable} */ (stream) }).on('line', (line) => {
      tail.push(line)
      if (tail.length > OUTPUT_TAIL_LINES) tail.shift()
      options.onLine?.(line)
    })
  }
  const ending = await endOf(child)
  if (ending !== null) {
    throw new SetUpFailure(`${options.purpose} failed (${command} ${ending}).`, options.advice, {
      output: tail.join('\n'),
    })
  }
}

/**
 * How the child failed, or null if it succeeded and all its output was read.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string | null>}
 */
function endOf(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('close', (code, signal) => {
      if (signal !== null) resolve(`was ended by ${signal}`)
      else resolve(code === 0 ? null : `exited with status ${code}`)
    })
  })
}
