/** Rules for batches side by side, on every workload: what share of a clairvoyant's device time is enough for them, and how many requests are late. */
import { estimate } from '../report/statistics.ts'
import { batchPolicyNames } from './batch-policies.ts'
import { type BatchWorkload, batchWorkloads } from './batch-workloads.ts'
import { runBatching } from './batching-run.ts'

/** Of `requests` requests each, with as many seeds from `seed` on; then with steps that last twice as long from the middle on. */
export function batchingReport(requests: number, seed: number, seeds: number): string {
  return [
    'Efficiency: device time of a clairvoyant with all deadlines met / used. Late: share of requests.',
    ...[1, 2].map((drift) => {
      const title = drift === 1 ? 'Steps as long as ever' : `Steps ${drift} x as long from the middle on`
      return [title, ...tableOf(batchWorkloads(drift), requests, seed, seeds)].join('\n')
    }),
  ].join('\n\n')
}

function tableOf(workloads: readonly BatchWorkload[], requests: number, seed: number, seeds: number): string[] {
  const nameWidth = Math.max(...workloads.map(({ name }) => name.length))
  const head = ['', ...batchPolicyNames.map((name) => name.padStart(cellWidth))]
  const rows = workloads.map((workload) => [
    workload.name,
    ...batchPolicyNames.map((policy) => {
      const runs = Array.from({ length: seeds }, (_, index) => runBatching(workload, policy, requests, seed + index))
      const efficiency = estimate(runs.map((run) => run.efficiency))
      const late = estimate(runs.map((run) => run.misses))
      const sure = efficiency.plusMinus === null ? '' : ` ±${efficiency.plusMinus.toFixed(3)}`
      return `${efficiency.mean.toFixed(3)}${sure} ${(100 * late.mean).toFixed(1).padStart(4)} % late`.padStart(
        cellWidth,
      )
    }),
  ])
  return [head, ...rows].map(([name = '', ...cells]) => [name.padEnd(nameWidth), ...cells].join('  '))
}
const cellWidth = 26
