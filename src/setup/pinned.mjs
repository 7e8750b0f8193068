/** Runs a file of this repository under the pinned Node: `node src/setup/pinned.mjs bench/run.ts --json`. */
import './require-node.mjs'
import { orExplain } from './failure.mjs'
import { runPinned } from './run-pinned.mjs'
import { setUp } from './set-up.mjs'

await orExplain(async () => {
  await setUp({ dev: false })
  await runPinned(process.argv.slice(2))
})
