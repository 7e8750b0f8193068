/** The facts without which a figure says nothing. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Machine {
  readonly cores: number
  readonly processor: string
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
  readonly python: string
  /** Of the checkout; `+` after it = with changes that are not committed. */
  readonly commit: string
  /** Processes that wanted to run, mean of the last minute, before the benchmark began. */
  readonly loadAverage: number
}

export function describeMachine(): Machine {
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    python: said(`${root}/.venv/bin/python`, ['--version']).replace('Python ', ''),
    commit:
      said('git', ['rev-parse', '--short=12', 'HEAD']) +
      (said('git', ['status', '--porcelain', '--', 'src', 'schema', 'python_runtime', 'package-lock.json']) ? '+' : ''),
    loadAverage: Number((loadavg()[0] ?? 0).toFixed(2)),
  }
}

export function machineLine(machine: Machine): string {
  const { cores, processor, memoryGiB, kernel, node, python, commit, loadAverage } = machine
  return `${cores} cores of ${processor}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}, Python ${python}, commit ${commit}, load average before ${loadAverage}`
}

function said(command: string, args: readonly string[]): string {
  if (command.startsWith('/') && !existsSync(command)) return 'not set up'
  return execFileSync(command, args, { cwd: root, encoding: 'utf8' }).trim()
}
