/**
 * `npm run bench`: lists the benchmarks. `npm run bench -- NAME... [--quick] [--json FILE]` runs some, `all` runs all,
 * `report` writes bench/RESULTS.md. Each runs in a process of its own, which is the load generator and is pinned to its core.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Benchmark } from './harness/benchmark.ts'
import { benchmarkNamed, benchmarks } from './harness/benchmarks.ts'
import { describeMachine, machineLine } from './harness/machine.ts'
import { type Outcome, readOutcome, resultPath, writeOutcome } from './harness/outcome.ts'
import { Quiet } from './harness/quiet.ts'
import { writeReport } from './harness/report.ts'
import { showCircumstances, showFigures, showPeers } from './harness/show.ts'
import { median } from './harness/statistics.ts'

/** Longer than any benchmark takes: one that hangs is ended, and what it started with it. */
const benchmarkMsMax = 20 * 60_000

const { positionals: names, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    'cpu-prof': { type: 'string' },
    only: { type: 'string' },
    'server-kills': { type: 'string', default: '20' },
    patience: { type: 'string', default: '60' },
    'fresh-clone': { type: 'boolean', default: false },
    traces: { type: 'string' },
    /** Set by this program for the process that runs one benchmark: where its result goes. */
    result: { type: 'string' },
  },
})

if (options.result !== undefined) await runHere(benchmarkNamed(names[0] ?? ''), options.result)
else if (names.length === 0) list()
else if (names[0] === 'report') console.log(`Written: ${writeReport()}`)
else await runAll(names[0] === 'all' ? benchmarks : names.map(benchmarkNamed))

function list(): void {
  for (const { name, about } of benchmarks) console.log(`${name.padEnd(10)} ${about}`)
  console.log('Parts by themselves: node bench/store.ts, node bench/scheduler-core.ts')
  console.log(`
npm run bench -- NAME... | all   runs them; results are kept in bench/results
npm run bench -- report          writes bench/RESULTS.md from the results
  --quick              one short series, shows that it runs; the results are not kept
  --json FILE          the results also as one JSON array
  --cpu-prof FOLDER    CPU profiles of the server, one per thread (npm run bench itself gets slower)
  --patience SECONDS   for waiting until others leave the processors alone, and for repeating rounds (60)
  --only NAME          the one mechanism that "ablation" measures; the results are not kept
  --server-kills N     how often "crash" kills the server (20)
  --traces FOLDER      recorded workloads for "simulated"; without it some are generated
  --fresh-clone        "startup" also sets up a fresh clone (minutes, needs the package registries)`)
}

async function runAll(chosen: readonly Benchmark[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-bench-results-'))
  const paths: string[] = []
  for (const benchmark of chosen) {
    const isKept = !options.quick && options.only === undefined
    const path = isKept ? resultPath(benchmark) : join(folder, `${benchmark.name}.json`)
    if (await runPinned(benchmark, path)) paths.push(path)
    else process.exitCode = 1
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(paths.map(readOutcome), null, 1)}\n`)
  rmSync(folder, { recursive: true })
}

/** This program again, on the generator's core, for one benchmark. */
async function runPinned({ name, generatorCore }: Benchmark, path: string): Promise<boolean> {
  const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--') || !names.includes(argument))
  const program = [process.execPath, fileURLToPath(import.meta.url), name, '--result', path, ...flags]
  const child = spawn('taskset', ['-c', String(generatorCore), ...program], {
    stdio: 'inherit',
    timeout: benchmarkMsMax,
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code === 0
}

async function runHere(benchmark: Benchmark, path: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const machine = describeMachine()
  console.log(`\n${benchmark.name}: ${benchmark.about}\n${benchmark.placement}\n${machineLine(machine)}\n`)
  const startedAt = performance.now()
  const say = (line: string) => console.log(`  ${line}`)
  const quiet = new Quiet(options.quick ? 0 : Number(options.patience) * 1000, say)
  const figures = await benchmark.run({
    isQuick: options.quick,
    only: options.only ?? null,
    profileDir: profileDir(),
    serverKills: Number(options['server-kills']),
    hasFreshClone: options['fresh-clone'],
    traces: options.traces ?? null,
    quiet,
    say,
  })
  const tookSeconds = Math.round((performance.now() - startedAt) / 1000)
  const circumstances = { others: Number(quiet.others.toFixed(2)), fixedWorkMs: rangeOf(quiet.fixedWorkMs) }
  console.log(`\n${(benchmark.show ?? showFigures)(figures)}\n\n${showCircumstances(circumstances)}\n`)
  for (const table of benchmark.peers) console.log(`${showPeers(table)}\n`)
  const command = `npm run bench -- ${benchmark.name}${options['fresh-clone'] ? ' --fresh-clone' : ''}${options.traces === undefined ? '' : ' --traces FOLDER'}`
  writeOutcome(path, {
    benchmark: benchmark.name,
    command,
    at: new Date().toISOString(),
    tookSeconds,
    machine,
    ...circumstances,
    figures,
  })
  // Connections that a benchmark left open are no reason to stay.
  process.exit(0)
}

function rangeOf(values: readonly number[]): Outcome['fixedWorkMs'] {
  const rounded = values.map((value) => Number(value.toFixed(1)))
  return { median: median(rounded), min: Math.min(...rounded), max: Math.max(...rounded) }
}

function profileDir(): string | null {
  const folder = options['cpu-prof']
  if (folder === undefined) return null
  mkdirSync(folder, { recursive: true })
  return resolve(folder)
}
