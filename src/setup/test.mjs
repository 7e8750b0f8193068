/**
 * `npm test`: brings what is missing, then runs vitest and pytest, both in any case.
 * Arguments go to vitest, those after a second `--` to pytest: `npm test -- test/unit -- -k protocol`.
 */
import './require-node.mjs'
import { spawnSync } from 'node:child_process'
import { orExplain } from './failure.mjs'
import { fromRoot, VENV_PYTHON } from './paths.mjs'
import { pinnedNode } from './pinned-node.mjs'
import { setUp } from './set-up.mjs'
import { closingLine, countPytest, countVitest, forgetTestResults, PYTEST_REPORT } from './test-results.mjs'

await orExplain(async () => {
  await setUp({ dev: true })
  forgetTestResults()
  const { forVitest, forPytest } = splitArguments(process.argv.slice(2))

  const vitestArgs = [fromRoot('node_modules/vitest/vitest.mjs'), 'run', ...forVitest, ...jsonReporter(forVitest)]
  const vitest = run(pinnedNode(), vitestArgs, fromRoot())
  const pytestArgs = ['-m', 'pytest', `--junitxml=${PYTEST_REPORT}`, ...forPytest]
  const pytest = run(VENV_PYTHON, pytestArgs, fromRoot('python_runtime'))

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
 * @param {string} command
 * @param {string[]} args
 * @param {string} folder
 */
function run(command, args, folder) {
  return spawnSync(command, args, { cwd: folder, stdio: 'inherit' }).status ?? 1
}
