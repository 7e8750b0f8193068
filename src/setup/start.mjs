/** `npm start`: brings what is missing, then starts Hearth under the pinned Node. Arguments go to src/cli/start.ts. */
import './require-node.mjs'
import { orExplain } from './failure.mjs'
import { fromRoot } from './paths.mjs'
import { runPinned } from './run-pinned.mjs'
import { setUp } from './set-up.mjs'

await orExplain(async () => {
  await setUp({ dev: false })
  await runPinned([fromRoot('src/cli/start.ts'), ...process.argv.slice(2)])
})
