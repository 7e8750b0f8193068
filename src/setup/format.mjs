/** `npm run format`: formats everything in place and sorts imports. */
import './require-node.mjs'
import { spawnSync } from 'node:child_process'
import { orExplain } from './failure.mjs'
import { fromRoot, VENV_PYTHON } from './paths.mjs'
import { pinnedNode } from './pinned-node.mjs'
import { setUp } from './set-up.mjs'

await orExplain(async () => {
  await setUp({ dev: true })
  const python = { cwd: fromRoot('python_runtime'), stdio: /** @type {const} */ ('inherit') }
  const biome = fromRoot('node_modules/@biomejs/biome/bin/biome')
  spawnSync(pinnedNode(), [biome, 'check', '--write', '.'], { cwd: fromRoot(), stdio: 'inherit' })
  spawnSync(VENV_PYTHON, ['-m', 'ruff', 'check', '--select', 'I', '--fix', '--quiet', '.'], python)
  spawnSync(VENV_PYTHON, ['-m', 'ruff', 'format', '.'], python)
})
