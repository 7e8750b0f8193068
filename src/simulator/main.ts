/**
 * `npm run simulate`: the scheduler in modelled worlds, for people who want to know what it would do. It lives here and not in src/cli, because what
 * is in src/cli uses the public API alone, and this runs the core itself.
 */
import { readFileSync } from 'node:fs'
import { batchingReport } from './batching/batching-report.ts'
import { clusterLines, reportCluster } from './cluster/cluster-report.ts'
import { runFaultWorlds } from './command/fault-worlds.ts'
import { help } from './command/help.ts'
import { type FaultsInvocation, type Invocation, parseInvocation, WrongOption } from './command/options.ts'
import { jsonOf, textOf } from './command/print-results.ts'
import { serveWorkload } from './command/serve-workload.ts'
import { replay } from './replay.ts'
import { BrokenTrace, readText } from './traces/csv.ts'

try {
  run(parseInvocation(process.argv.slice(2)))
} catch (error) {
  // What the user gave is wrong, and the words say what; anything else is our own mistake.
  if (!(error instanceof WrongOption || error instanceof BrokenTrace)) throw error
  console.error(error.message)
  console.error('npm run simulate -- --help lists the options.')
  process.exitCode = 2
}

function run(invocation: Invocation): void {
  switch (invocation.mode) {
    case 'help':
      return console.log(help)
    case 'replay':
      return replayFile(invocation.file)
    case 'faults':
      return tryFaults(invocation)
    case 'batching':
      return console.log(batchingReport(invocation.requests, invocation.seed, invocation.seeds))
    case 'cluster':
      return placeCluster(invocation)
    case 'trace': {
      const served = serveWorkload(invocation)
      return console.log(invocation.isJson ? jsonOf(served) : textOf(served))
    }
    default:
      return invocation satisfies never
  }
}

function placeCluster({ nodes, pods, seed }: Extract<Invocation, { mode: 'cluster' }>): void {
  const report = reportCluster(readText(nodes), readText(pods), seed)
  for (const line of clusterLines(report)) console.log(line)
}

function replayFile(file: string): void {
  const { steps, difference } = replay(linesOf(file))
  if (!difference) return console.log(`${steps} events, and the same commands each time.`)
  console.error(`Line ${difference.line} comes out otherwise.\n  event    ${difference.event}`)
  console.error(`  recorded ${difference.recorded}\n  replayed ${difference.replayed}`)
  process.exitCode = 1
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch (error) {
    throw new BrokenTrace(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function tryFaults(invocation: FaultsInvocation): void {
  const { from, seeds } = invocation
  const { events, jobs, failures } = runFaultWorlds(invocation, (line) => console.error(line))
  console.log(
    `${seeds} worlds from seed ${from}: ${jobs} jobs, ${events} events, ${failures.length} worlds went wrong.`,
  )
  if (failures.length > 0) process.exitCode = 1
}
