/** `npm run check`: runs every check, or those named as arguments, and says which failed. */
import './require-node.mjs'
import { spawnSync } from 'node:child_process'
import { checks } from './checks.mjs'
import { orExplain, SetUpFailure } from './failure.mjs'
import { setUp } from './set-up.mjs'

await orExplain(async () => {
  await setUp({ dev: true })
  const wanted = process.argv.slice(2)
  const unknown = wanted.filter((name) => !checks().some((check) => check.name === name))
  if (unknown.length > 0) {
    const known = checks().map(({ name }) => name)
    throw new SetUpFailure(`There is no check named ${unknown.join(', ')}.`, `There are: ${known.join(', ')}.`)
  }
  for (const { name, command, args, folder } of checks()) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    const startedAt = performance.now()
    const { status } = spawnSync(command, args, { cwd: folder, stdio: 'inherit' })
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`)
    if (status !== 0) process.exitCode = 1
  }
})
