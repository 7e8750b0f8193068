/** A small share of what `npm run fuzz -- --inputs 1000000` does, always the same. */
import { expect, test } from 'vitest'
import { runTarget } from './run-target.ts'
import { targets } from './targets.ts'

const inputs = 2000
const seed = 1
const timeoutMs = 120_000

test.for(targets.map(({ name }) => name))('%s: no crash, no hang, no growth', { timeout: timeoutMs }, async (name) => {
  const { problem, done, file } = await runTarget(name, inputs, seed)
  expect(problem, `input: ${file}`).toBeNull()
  expect(done).toBeGreaterThanOrEqual(inputs)
})
