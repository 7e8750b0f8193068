/** bench/RESULTS.md, made of the kept results, the goals, the peers' figures and the causes of what falls short. */
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { peerSource } from '../peers.ts'
import { shortfalls } from '../shortfalls.ts'
import type { Benchmark, Figure } from './benchmark.ts'
import { benchmarks } from './benchmarks.ts'
import { machineLine } from './machine.ts'
import { readOutcome, resultPath } from './outcome.ts'
import { showCircumstances, showFigures, showPeers } from './show.ts'
import { isMet, summarise } from './statistics.ts'

const reportPath = fileURLToPath(new URL('../RESULTS.md', import.meta.url))

const opening = `# What was measured

Written by \`npm run bench -- report\` from bench/results/*.json; \`npm run bench -- all\` measures again.

The server process with all its threads runs on one core, the load generator on another; everything is durable (a mutation is answered
after its commit, \`synchronous=FULL\`). A value is the best of the medians of several series; behind it stand all rounds with their
range. Read ratios rather than absolutes: other work on the machine was not always absent, and each benchmark says how busy it was.
`

export function writeReport(): string {
  const sections = benchmarks.map(section)
  writeFileSync(reportPath, [opening, ...sections, `## Source of the peers' figures\n\n${peerSource}\n`].join('\n'))
  return reportPath
}

function section(benchmark: Benchmark): string {
  const head = `## ${benchmark.name}\n\n${benchmark.about} Placement: ${benchmark.placement}.\n`
  const path = resultPath(benchmark)
  if (!existsSync(path)) return `${head}\nNot measured yet: \`npm run bench -- ${benchmark.name}\`.\n`
  const { command, at, tookSeconds, machine, figures, ...circumstances } = readOutcome(path)
  const facts = `Command: \`${command}\`, ${at.slice(0, 10)}, ${Math.round(tookSeconds)} s. Machine: ${machineLine(machine)}. ${showCircumstances(circumstances)}\n`
  return [
    head,
    facts,
    (benchmark.show ?? showFigures)(figures),
    '',
    ...remarks(figures),
    ...benchmark.peers.map((table) => `${showPeers(table)}\n`),
  ].join('\n')
}

function remarks(figures: readonly Figure[]): string[] {
  const lines = figures.flatMap((figure) => [
    ...(figure.note === '' ? [] : [`- ${figure.what}: ${figure.note}`]),
    ...(fallsShort(figure)
      ? [`- **Short of its goal**, ${figure.what}: ${shortfalls[figure.id] ?? 'the cause is not known yet.'}`]
      : []),
  ])
  return lines.length === 0 ? [] : [...lines, '']
}

function fallsShort(figure: Figure): boolean {
  return figure.goal !== null && !isMet(summarise(figure).value, figure.goal)
}
