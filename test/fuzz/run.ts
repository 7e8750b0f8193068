/**
 * `npm run fuzz -- [--inputs 1000000] [--target NAME] [--seed N]`: throws inputs at everything that reads what strangers send, one target after the
 * other, and tells what was found. Without a seed it takes a new one each time, and says which. The worker's side: see python_runtime/tests/fuzz.
 */
import { parseArgs } from 'node:util'
import { runTarget } from './run-target.ts'
import { targets } from './targets.ts'

const { values } = parseArgs({
  options: { inputs: { type: 'string', default: '100000' }, target: { type: 'string' }, seed: { type: 'string' } },
})
const inputs = Number(values.inputs)
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target)
if (chosen.length === 0 || !Number.isSafeInteger(inputs) || !Number.isSafeInteger(seed)) {
  console.error(`Targets: ${targets.map(({ name }) => name).join(', ')}. --inputs and --seed are whole numbers.`)
  process.exit(2)
}

console.log(`${inputs} inputs for each of ${chosen.length} targets, seed ${seed}`)
for (const { name } of chosen) {
  const { problem, done, seconds, grownBytes, file } = await runTarget(name, inputs, seed)
  const figures = `${done} inputs, ${seconds.toFixed(1)} s, memory ${(grownBytes / 1024).toFixed(0)} KiB`
  console.log(`${problem === null ? 'ok  ' : 'FAIL'} ${name.padEnd(20)} ${figures}`)
  if (problem === null) continue
  console.log(`     ${problem}${file === null ? '' : `\n     kept as ${file}`}`)
  process.exitCode = 1
}
