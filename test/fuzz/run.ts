/**
 * `npm run fuzz -- [--inputs 1000000] [--target NAME] [--seed N]`: throws inputs at everything that reads what strangers send, one target after the
 * other, this side first and then the worker's, and tells what was found. Without a seed it takes a new one each time, and says which.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runTarget } from './run-target.ts'
import { targets } from './targets.ts'

const { values } = parseArgs({
  options: { inputs: { type: 'string', default: '100000' }, target: { type: 'string' }, seed: { type: 'string' } },
})
const inputs = Number(values.inputs)
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target)
/** By name; the other side knows its own names. */
const isOfWorker = values.target !== undefined && chosen.length === 0
if (!Number.isSafeInteger(inputs) || !Number.isSafeInteger(seed)) {
  console.error('--inputs and --seed are whole numbers.')
  process.exit(2)
}

console.log(`${inputs} inputs for each target, seed ${seed}`)
for (const { name } of chosen) {
  const { problem, done, seconds, grownBytes, file } = await runTarget(name, inputs, seed)
  const figures = `${done} inputs, ${seconds.toFixed(1)} s, memory ${(grownBytes / 1024).toFixed(0)} KiB`
  console.log(`${problem === null ? 'ok  ' : 'FAIL'} ${name.padEnd(20)} ${figures}`)
  if (problem === null) continue
  console.log(`     ${problem}${file === null ? '' : `\n     kept as ${file}`}`)
  process.exitCode = 1
}

if (values.target === undefined || isOfWorker) {
  const args = ['-m', 'tests.fuzz.run', `--inputs=${inputs}`, `--seed=${seed}`]
  const { status } = spawnSync(at('.venv/bin/python'), isOfWorker ? [...args, `--target=${values.target}`] : args, {
    cwd: at('python_runtime'),
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}

function at(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url))
}
