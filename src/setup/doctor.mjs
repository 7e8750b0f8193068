/**
 * `npm run doctor`: what of this machine is wrong for Hearth, and how to mend it. Needs nothing that set-up brings. Changes nothing, but for a
 * file that it writes and removes in each folder it looks at. `--json` for programs. Ends with 1 when something failed, with 2 when it was
 * asked what it does not know.
 */
import './require-node.mjs'
import { readFacts } from './doctor/facts.mjs'
import { judge } from './doctor/judge.mjs'
import { report } from './doctor/report.mjs'

const options = process.argv.slice(2)
const unknown = options.find((option) => option !== '--json')
if (unknown !== undefined) {
  process.stderr.write(`There is no option ${unknown}; there is one: npm run doctor -- --json\n`)
  process.exit(2)
}

const findings = judge(await readFacts(process.env))
process.stdout.write(options.length > 0 ? `${JSON.stringify(findings, null, 2)}\n` : report(findings))
if (findings.some(({ level }) => level === 'FAIL')) process.exitCode = 1
