/** What each mechanism brings: the same work with it and without it, in turn, in one run on one machine. */
import { figuresOf } from './ablation/figures.ts'
import type { Mechanism, Round } from './ablation/mechanism.ts'
import { mechanismNamed, mechanisms } from './ablation/mechanisms.ts'
import { measurePairs } from './ablation/pairs.ts'
import { showMechanisms } from './ablation/summary.ts'
import type { Benchmark, Figure, RunSettings } from './harness/benchmark.ts'
import { formatNumber } from './harness/table.ts'

export const ablation: Benchmark = {
  name: 'ablation',
  about: 'What each mechanism brings: the same work with it and without it (the naive way), round by round in turn.',
  placement: 'server and workers, or what stands in for them, on core 0, generator on core 1',
  generatorCore: 1,
  peers: [],
  run: measureMechanisms,
  show: (figures) => showMechanisms(mechanisms, figures),
}

async function measureMechanisms(settings: RunSettings): Promise<readonly Figure[]> {
  const chosen = settings.only === null ? mechanisms : [mechanismNamed(settings.only)]
  const figures: Figure[] = []
  for (const mechanism of chosen) figures.push(...(await measureMechanism(mechanism, settings)))
  return figures
}

async function measureMechanism(mechanism: Mechanism, settings: RunSettings): Promise<Figure[]> {
  const { name, pairs, comparisons } = mechanism
  settings.say(name)
  await using sides = await mechanism.open(settings)
  const measured = await measurePairs(settings.isQuick ? 1 : pairs, sides, (round: Round) =>
    settings.quiet.round(round),
  )
  for (const pair of measured)
    for (const { key, what, unit } of comparisons)
      settings.say(`  ${what}: ${said(pair.with[key])} with, ${said(pair.without[key])} without (${unit})`)
  return figuresOf(mechanism, measured)
}

function said(value: number | undefined): string {
  return value === undefined ? '-' : formatNumber(value)
}
