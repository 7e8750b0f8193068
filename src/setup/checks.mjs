/** Everything `npm run check` holds the code to. `npm test` runs the same list, one test each. */

import { fromRoot, VENV_PYTHON } from './paths.mjs'
import { pinnedNode } from './pinned-node.mjs'

/** @typedef {{ name: string, command: string, args: string[], folder: string }} Check */

/** @returns {Check[]} */
export function checks() {
  return [
    fromNode('types', 'typescript/bin/tsc', ['--noEmit', '-p', '.']),
    fromNode('lint', 'oxlint/bin/oxlint', ['--deny-warnings']),
    fromNode('format', '@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']),
    { name: 'layers', command: pinnedNode(), args: ['src/setup/check-layers.mjs'], folder: fromRoot() },
    { name: 'schema', command: pinnedNode(), args: ['src/cli/check-schema-changes.ts'], folder: fromRoot() },
    fromPython('python types', ['mypy']),
    fromPython('python lint', ['ruff', 'check', '.']),
    fromPython('python format', ['ruff', 'format', '--check', '.']),
    ofTraining('training lint', ['check']),
    ofTraining('training format', ['format', '--check']),
  ]
}

/**
 * @param {string} name
 * @param {string} file below node_modules
 * @param {string[]} args
 * @returns {Check}
 */
function fromNode(name, file, args) {
  return { name, command: pinnedNode(), args: [fromRoot('node_modules', file), ...args], folder: fromRoot() }
}

/**
 * @param {string} name
 * @param {string[]} args
 * @returns {Check}
 */
function fromPython(name, args) {
  return { name, command: VENV_PYTHON, args: ['-m', ...args], folder: fromRoot('python_runtime') }
}

/**
 * Its types are not checked here: torch is no dependency of the product.
 * @param {string} name
 * @param {string[]} args
 * @returns {Check}
 */
function ofTraining(name, args) {
  const settings = ['--config', 'python_runtime/pyproject.toml']
  return { name, command: VENV_PYTHON, args: ['-m', 'ruff', ...args, ...settings, 'training'], folder: fromRoot() }
}
