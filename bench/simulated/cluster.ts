/** Pods of a recorded cluster placed until nothing fits: device memory that nobody can use any more. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { ratioToBest, reportCluster } from '../../src/simulator/cluster/cluster-report.ts'
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'

const seed = 1

export function cluster({ traces, say }: RunSettings): Figure[] {
  const files = ['openb_nodes.csv.gz', 'openb_pods.csv.gz'].map((file) => join(traces ?? '', file))
  const [nodes, pods] = files
  if (traces === null || !nodes || !pods || !files.every((file) => existsSync(file))) return []
  const { recorded, drawn } = reportCluster(textOf(nodes), textOf(pods), seed)
  const [asRecorded, asDrawn] = [ratioToBest(recorded), ratioToBest(drawn)]
  say(`unallocatable: ${asRecorded.toFixed(3)} as recorded, ${asDrawn.toFixed(3)} drawn`)
  const head = { unit: 'ratio', better: 'lower', goal: { atMost: 1.05 } } as const
  const what = 'unallocatable device memory, to the better of best fit and fragmentation gradient descent'
  return [
    figure({ id: 'simulated.cluster.recorded', what: `${what}: pods as recorded`, ...head }, [[asRecorded]]),
    figure({ id: 'simulated.cluster.drawn', what: `${what}: pods drawn until full`, ...head }, [[asDrawn]]),
  ]
}

function textOf(path: string): string {
  return gunzipSync(readFileSync(path)).toString('utf8')
}
