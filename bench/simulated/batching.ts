/** Requests that share steps: device time of a clairvoyant against what the learnt rule uses, and who comes too late. The worst of all workloads counts. */
import { batchWorkloads } from '../../src/simulator/batching/batch-workloads.ts'
import { runBatching } from '../../src/simulator/batching/batching-run.ts'
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'

const requests = 2000
const seeds = [1, 2, 3, 4, 5]
const kinds = [
  { key: 'spare', what: 'devices to spare', isScarce: false, atLeast: 0.95 },
  { key: 'scarce', what: 'one device, 90 % load', isScarce: true, atLeast: 0.85 },
]

export function batching({ isQuick, say }: RunSettings): Figure[] {
  return kinds.flatMap(({ key, what, isScarce, atLeast }) => {
    const worst = { efficiency: Number.POSITIVE_INFINITY, misses: 0 }
    for (const workload of batchWorkloads(1).filter((each) => each.isScarce === isScarce))
      for (const seed of isQuick ? seeds.slice(0, 1) : seeds) {
        const { efficiency, misses } = runBatching(workload, 'learnt', requests, seed)
        worst.efficiency = Math.min(worst.efficiency, efficiency)
        worst.misses = Math.max(worst.misses, misses)
      }
    say(`${what}: ${worst.efficiency.toFixed(3)} of the clairvoyant, ${(100 * worst.misses).toFixed(1)} % late`)
    const id = `simulated.batching.${key}`
    return [
      figure(
        {
          id: `${id}.efficiency`,
          what: `batching, ${what}: of the clairvoyant, worst of all workloads`,
          unit: 'ratio',
          better: 'higher',
          goal: { atLeast },
        },
        [[worst.efficiency]],
      ),
      figure(
        {
          id: `${id}.late`,
          what: `batching, ${what}: requests too late, worst of all workloads`,
          unit: 'share',
          better: 'lower',
          goal: { atMost: 0.01 },
        },
        [[worst.misses]],
      ),
    ]
  })
}
