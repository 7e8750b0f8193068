/**
 * Step: the virtual environment .venv with hash-pinned packages and, as an editable install, python_runtime itself.
 *
 * Its stamp names what each layer was made from. The base layer (Python and what workers need) is always made anew,
 * so nothing an interrupted pip left half-installed can survive; pip's cache makes that quick.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './command.mjs'
import { digestOfTexts } from './digest.mjs'
import { findPython } from './machine.mjs'
import { fromRoot, ROOT, VENV, VENV_PYTHON } from './paths.mjs'
import { readStamp, removeStamp, writeStamp } from './stamp.mjs'

const STAMP = join(VENV, 'hearth.json')
const REQUIREMENTS = fromRoot('python_runtime', 'requirements.txt')
const DEV_REQUIREMENTS = fromRoot('python_runtime', 'requirements-dev.txt')
const WORKER_PROJECT = fromRoot('python_runtime')

/** Settings of pip that would make it ask, talk or install elsewhere. */
const PIP_ENVIRONMENT = {
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  PIP_NO_INPUT: '1',
  PIP_USER: '0',
  PIP_TARGET: undefined,
  PIP_PREFIX: undefined,
  PYTHONPATH: undefined,
  PYTHONHOME: undefined,
}

/**
 * @typedef {object} Context
 * @property {import('./progress.mjs').Row} row
 * @property {number} lockFile
 * @property {boolean} dev whether what tests and checks need is wanted too
 */

/** @param {{ dev: boolean }} wanted */
export function pythonEnvironmentIsReady({ dev }) {
  const stamp = readStamp(STAMP)
  return (
    stamp !== null &&
    baseIsCurrent(stamp) &&
    stamp['worker'] === workerInputs() &&
    (!dev || stamp['dev'] === devInputs()) &&
    existsSync(VENV_PYTHON)
  )
}

/** @param {Context} context */
export async function bringPythonEnvironment(context) {
  const stamp = readStamp(STAMP)
  /** @type {Record<string, unknown>} */
  let layers = stamp ?? {}
  if (stamp === null || !baseIsCurrent(stamp) || !existsSync(VENV_PYTHON)) {
    layers = await makeBase(context)
    writeStamp(STAMP, layers)
  }
  if (context.dev && layers['dev'] !== devInputs()) {
    removeStamp(STAMP) // Interrupted here, the environment may hold half a package: it is made anew then.
    await installRequirements(DEV_REQUIREMENTS, 'development packages', context)
    layers['dev'] = devInputs()
    writeStamp(STAMP, layers)
  }
  if (layers['worker'] !== workerInputs()) {
    await installWorkerPackage(context)
    layers['worker'] = workerInputs()
    writeStamp(STAMP, layers)
  }
  context.row.done(`Python ${String(layers['version'])} environment ready`)
}

/** @param {Context} context */
async function makeBase(context) {
  const python = findPython()
  context.row.update(`creating .venv with Python ${python.version}`)
  removeStamp(STAMP)
  rmSync(VENV, { recursive: true, force: true })
  await runCommand(python.path, ['-I', '-m', 'venv', VENV], {
    purpose: 'Creating the virtual environment',
    advice: 'On Debian and Ubuntu, install the python3-venv package. Another Python: HEARTH_PYTHON=/path/to/python3',
    lockFile: context.lockFile,
  })
  await installRequirements(REQUIREMENTS, 'packages', context)
  return { base: baseInputs(), version: python.version, chosen: process.env['HEARTH_PYTHON'] ?? null }
}

/**
 * @param {string} requirements path of a file in which every package is pinned and hashed
 * @param {string} what
 * @param {Context} context
 */
async function installRequirements(requirements, what, { row, lockFile }) {
  const total = readFileSync(requirements, 'utf8').match(/^[a-z]/gm)?.length ?? 0
  let seen = 0
  await runPip(
    ['install', '--require-hashes', '--no-deps', '--no-compile', '--only-binary', ':all:', '-r', requirements],
    {
      purpose: `Installing the Python ${what}`,
      advice:
        'Check that the Python package index can be reached, then repeat the command. If it says that no version ' +
        'matches, this Python has no ready-made packages yet: choose another with HEARTH_PYTHON=/path/to/python3.12',
      lockFile,
      onLine(line) {
        if (/^(Collecting|Requirement already satisfied|Ignoring) /.test(line)) seen += 1
        row.update(line.startsWith('Installing') ? `unpacking ${what}` : `${seen} of ${total} ${what}`)
      },
    },
  )
}

/** @param {Context} context */
async function installWorkerPackage({ row, lockFile }) {
  row.update('installing hearth_worker')
  await runPip(['install', '--no-build-isolation', '--no-deps', '--no-index', '--editable', WORKER_PROJECT], {
    purpose: 'Installing python_runtime',
    advice: 'Repeat the command; if it fails again, remove the folder .venv first.',
    lockFile,
  })
}

/**
 * Runs the environment's own pip.
 * @param {string[]} args
 * @param {import('./command.mjs').CommandOptions} options
 */
export async function runPip(args, options) {
  await runCommand(VENV_PYTHON, ['-m', 'pip', ...args], { ...options, env: { ...PIP_ENVIRONMENT, ...options.env } })
}

/** @param {Record<string, unknown>} stamp */
function baseIsCurrent(stamp) {
  const chosen = process.env['HEARTH_PYTHON']
  return stamp['base'] === baseInputs() && (chosen === undefined || stamp['chosen'] === chosen)
}

/** The folder counts: a virtual environment cannot be moved. */
function baseInputs() {
  return digestOfTexts(readFileSync(REQUIREMENTS, 'utf8'), ROOT)
}

function devInputs() {
  return digestOfTexts(readFileSync(DEV_REQUIREMENTS, 'utf8'))
}

function workerInputs() {
  return digestOfTexts(readFileSync(join(WORKER_PROJECT, 'pyproject.toml'), 'utf8'))
}
