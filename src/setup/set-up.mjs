/** Brings everything Hearth needs and the checkout does not hold. Does nothing when nothing is missing. */
import { withSetUpLock } from './lock.mjs'
import { checkDiskSpace, findPython, platformNote } from './machine.mjs'
import { bringNodePackages, nodePackagesAreReady } from './node-packages.mjs'
import { createBoard } from './progress.mjs'
import { bringPythonEnvironment, pythonEnvironmentIsReady } from './python-environment.mjs'
import { bringStarterModels, starterModelsAreReady } from './starter-models.mjs'

/**
 * @typedef {{ lockFile: number, dev: boolean, row: import('./progress.mjs').Row }} StepContext
 * @typedef {{ title: string, isReady: (wanted: { dev: boolean }) => boolean, bring: (context: StepContext) => Promise<void> }} Step
 */

/** Chains run side by side; the steps of a chain follow each other. */
/** @type {Step[][]} */
const CHAINS = [
  [{ title: 'Node packages', isReady: nodePackagesAreReady, bring: bringNodePackages }],
  [
    { title: 'Python environment', isReady: pythonEnvironmentIsReady, bring: bringPythonEnvironment },
    { title: 'Starter models', isReady: starterModelsAreReady, bring: bringStarterModels },
  ],
]

/**
 * @param {{ dev: boolean }} wanted `dev`: also what tests and checks need
 * @returns {Promise<boolean>} whether there was anything to do
 */
export async function setUp(wanted) {
  if (isComplete(wanted)) return false
  const startedAt = performance.now()
  const note = platformNote()
  if (note !== null) process.stderr.write(`${note}\n`)
  checkDiskSpace()
  await withSetUpLock(findPython().path, async (lockFile) => {
    process.stderr.write('Setting up Hearth:\n')
    const board = createBoard()
    const endings = await Promise.allSettled(CHAINS.map((chain) => runChain(chain, wanted, lockFile, board)))
    const failures = endings.flatMap((ending) =>
      ending.status === 'rejected' ? [/** @type {unknown} */ (ending.reason)] : [],
    )
    if (failures.length > 0) throw new AggregateError(failures, 'Set-up failed.')
  })
  process.stderr.write(`Set up in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.\n`)
  return true
}

/** @param {{ dev: boolean }} wanted */
export function isComplete(wanted) {
  return CHAINS.flat().every((step) => step.isReady(wanted))
}

/**
 * @param {Step[]} chain
 * @param {{ dev: boolean }} wanted
 * @param {number} lockFile
 * @param {import('./progress.mjs').Board} board
 */
async function runChain(chain, { dev }, lockFile, board) {
  for (const step of chain) {
    if (step.isReady({ dev })) continue // Asked again under the lock: another set-up may have been here.
    await step.bring({ lockFile, dev, row: board.row(step.title) })
  }
}
