/**
 * `npm run doctor`: what of this machine is wrong for Hearth, and how to mend it. Needs nothing that set-up brings. Changes nothing, but for a
 * file that it writes and removes in each folder it looks at. `--json` for programs. Ends with 1 when something failed.
 */
import './require-node.mjs'
import { readFacts } from './doctor/facts.mjs'
import { judge } from './doctor/judge.mjs'
import { report } from './doctor/report.mjs'

const findings = judge(await readFacts(process.env))
process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(findings, null, 2)}\n` : report(findings))
if (findings.some(({ level }) => level === 'FAIL')) process.exitCode = 1
