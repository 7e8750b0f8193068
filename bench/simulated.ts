/**
 * What the scheduler decides, measured in the simulator, where nothing but the decisions counts: no figure depends on the machine. Recorded workloads
 * are read from the folder that `--traces` names (files as `npm run simulate -- --help` describes them); without it a workload is generated.
 */

import type { Benchmark, Figure, RunSettings } from './harness/benchmark.ts'
import { batching } from './simulated/batching.ts'
import { cluster } from './simulated/cluster.ts'
import { eviction } from './simulated/eviction.ts'
import { fleet } from './simulated/fleet.ts'
import { sharing } from './simulated/sharing.ts'

export const simulated: Benchmark = {
  name: 'simulated',
  about:
    "The scheduler's core in a modelled world: eviction, routing, sharing with batch work, batching, fragmentation.",
  placement: 'one process',
  generatorCore: 0,
  peers: [],
  run: async (settings) => {
    // Only to say what the machine was like: nothing here depends on it.
    await settings.quiet.round(() => Promise.resolve())
    return runAll(settings)
  },
}

function runAll(settings: RunSettings): readonly Figure[] {
  const { traces, say } = settings
  if (traces === null) say('No --traces: generated workloads; nothing is measured that needs a recorded one.')
  return [eviction, fleet, sharing, batching, cluster].flatMap((part) => part(settings))
}
