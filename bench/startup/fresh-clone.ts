/** What a stranger waits for: a clone of the repository's last commit, `npm start`, and the answers of the first jobs. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { startOnce } from './npm-start.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const setUpMsMax = 15 * 60_000

export async function measureFreshClone(settings: RunSettings): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-clone-'))
  try {
    await promisify(execFile)('git', ['clone', '--quiet', '--no-local', root, folder])
    const { readyMs, greetedMs } = await startOnce(folder, setUpMsMax)
    settings.say(
      `fresh clone: ready after ${Math.round(readyMs / 1000)} s, first jobs done after ${Math.round(greetedMs / 1000)} s`,
    )
    const note = 'With whatever npm and pip had cached on this machine.'
    return [
      figure(
        {
          id: 'startup.clone.ready',
          what: 'fresh clone, `npm start`: command to ready line',
          unit: 's',
          better: 'lower',
          note,
        },
        [[readyMs / 1000]],
      ),
      figure(
        {
          id: 'startup.clone.greeted',
          what: 'fresh clone, `npm start`: command to the answers of the first jobs',
          unit: 's',
          better: 'lower',
          note,
        },
        [[greetedMs / 1000]],
      ),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
