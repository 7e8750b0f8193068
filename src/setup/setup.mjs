/** `npm run setup`: brings what is missing, starts nothing. */
import './require-node.mjs'
import { orExplain } from './failure.mjs'
import { setUp } from './set-up.mjs'

await orExplain(async () => {
  const changed = await setUp({ dev: process.argv.includes('--dev') })
  if (!changed) process.stderr.write('Hearth is set up; there was nothing to do.\n')
})
