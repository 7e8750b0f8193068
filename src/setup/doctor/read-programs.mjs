/** What Hearth runs on: the platform, Node, npm, Python, and what set-up made. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { SetUpFailure } from '../failure.mjs'
import { findPython } from '../machine.mjs'
import { nodePackagesAreReady } from '../node-packages.mjs'
import { fromRoot, VENV_PYTHON } from '../paths.mjs'
import { pinnedNode } from '../pinned-node.mjs'
import { pythonEnvironmentIsReady } from '../python-environment.mjs'
import { starterModelsAreReady } from '../starter-models.mjs'

const PROBE_MS_MAX = 20_000

/**
 * @typedef {object} Programs
 * @property {string} platform
 * @property {string} architecture
 * @property {string | null} glibc version; null where there is another C library
 * @property {string} node
 * @property {string | null} npm null when it cannot be run
 * @property {{ version: string, path: string } | { refusal: string }} python
 * @property {Record<'node packages' | 'Python environment' | 'starter models', boolean>} isSetUp
 * @property {string | null} brokenNode why the server's own Node does not run; null when it does or is not there yet
 * @property {string | null} brokenPython likewise for the workers' Python
 * @property {string | null} wrongSettings what the server would say about its settings; null when it takes them, or cannot be asked yet
 */

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Programs}
 */
export function readPrograms(env) {
  const isSetUp = {
    'node packages': isTrue(nodePackagesAreReady),
    'Python environment': isTrue(() => pythonEnvironmentIsReady({ dev: false })),
    'starter models': isTrue(starterModelsAreReady),
  }
  const brokenNode = isSetUp['node packages'] ? complaintOfNode(env, ['--version']) : null
  return {
    platform: process.platform,
    architecture: process.arch,
    glibc: glibcVersion(),
    node: process.versions.node,
    npm: versionOf('npm'),
    python: pythonOf(env),
    isSetUp,
    brokenNode,
    brokenPython: existsSync(VENV_PYTHON)
      ? complaintOf(VENV_PYTHON, ['-c', 'import hearth_worker, msgspec'], env)
      : null,
    wrongSettings: isSetUp['node packages'] && brokenNode === null ? complaintOfNode(env, ['-e', READ_CONFIG]) : null,
  }
}

const READ_CONFIG = `import(${JSON.stringify(fromRoot('src/config/config.ts'))})
  .then(({ readConfig }) => readConfig(process.env))
  .catch((error) => { console.error(error.message); process.exit(1) })`

/**
 * A stamp that cannot even be compared, such as for a manifest that is no JSON, is none.
 * @param {() => boolean} isReady
 */
function isTrue(isReady) {
  try {
    return isReady()
  } catch {
    return false
  }
}

/** @returns {string | null} */
function glibcVersion() {
  /** @type {unknown} */
  const report = process.report.getReport()
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (report)
  return header.glibcVersionRuntime ?? null
}

/** @param {string} command */
function versionOf(command) {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8', timeout: PROBE_MS_MAX })
  return status === 0 ? stdout.trim() : null
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Programs['python']}
 */
function pythonOf(env) {
  try {
    return findPython(env)
  } catch (error) {
    if (error instanceof SetUpFailure) return { refusal: `${error.message}\n${error.output}` }
    throw error
  }
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} args
 */
function complaintOfNode(env, args) {
  try {
    return complaintOf(pinnedNode(), ['--no-warnings', ...args], env)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * What a command says when it fails; null when it works.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function complaintOf(command, args, env) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: PROBE_MS_MAX, env })
  if (status === 0) return null
  return error?.message ?? (stderr.trim() || `ended with status ${status}`)
}
