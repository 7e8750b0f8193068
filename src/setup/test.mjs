/**
 * `npm test`: brings what is missing, then runs vitest and pytest side by side, both in any case. What pytest says is shown when vitest has ended.
 * Arguments go to vitest, those after a second `--` to pytest: `npm test -- test/unit -- -k protocol`.
 */
import './require-node.mjs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { orExplain } from './failure.mjs'
import { fromRoot, VENV_PYTHON } from './paths.mjs'
import { pinnedNode } from './pinned-node.mjs'
import { setUp } from './set-up.mjs'
import { closingLine, countPytest, countVitest, forgetTestResults, PYTEST_REPORT } from './test-results.mjs'

/** A priority below the usual one: tests of servers are watched more closely by the clock than those of single programs. */
const BEHIND = 5

await orExplain(async () => {
  await setUp({ dev: true })
  forgetTestResults()
  const { forVitest, forPytest } = splitArguments(process.argv.slice(2))

  const vitestArgs = [fromRoot('node_modules/vitest/vitest.mjs'), 'run', ...forVitest, ...jsonReporter(forVitest)]
  const pytestArgs = ['-m', 'pytest', `--junitxml=${PYTEST_REPORT}`, ...forPytest]
  const pytestRun = runQuietly(VENV_PYTHON, pytestArgs, fromRoot('python_runtime'))
  const vitest = await run(pinnedNode(), vitestArgs, fromRoot())
  const { status: pytest, said } = await pytestRun
  console.log(said)

  const [vitestCount, pytestCount] = [countVitest(vitest), countPytest(pytest)]
  console.log(`\nvitest: ${closingLine(vitestCount)}\npytest: ${closingLine(pytestCount)}`)
  for (const name of [...vitestCount.skipped, ...pytestCount.skipped]) console.log(`skipped: ${name}`)
  console.log(closingLine(vitestCount, pytestCount))
  if (vitest !== 0 || pytest !== 0) process.exitCode = 1
})

/**
 * @param {string[]} args
 * @returns {{ forVitest: string[], forPytest: string[] }}
 */
function splitArguments(args) {
  const separator = args.indexOf('--')
  return separator === -1
    ? { forVitest: args, forPytest: [] }
    : { forVitest: args.slice(0, separator), forPytest: args.slice(separator + 1) }
}

/**
 * A reporter named on the command line replaces those of vitest.config.ts, but we count from the JSON report.
 * @param {string[]} args
 */
function jsonReporter(args) {
  return args.some((argument) => argument.startsWith('--reporter')) ? ['--reporter=json'] : []
}

/**
 * The exit status of a test runner; 1 if a signal ended it.
 * @param {import('node:child_process').ChildProcess} child
 */
async function statusOf(child) {
  await once(child, 'close')
  return child.exitCode ?? 1
}

/**
 * Its output goes to the terminal.
 * @param {string} command
 * @param {string[]} args
 * @param {string} folder
 */
function run(command, args, folder) {
  return statusOf(spawn(command, args, { cwd: folder, stdio: 'inherit' }))
}

/**
 * Behind what else runs, with its output kept until it has ended.
 * @param {string} command
 * @param {string[]} args
 * @param {string} folder
 */
async function runQuietly(command, args, folder) {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  if (child.pid !== undefined) setPriority(child.pid, BEHIND)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
  const status = await statusOf(child)
  return { status, said }
}
