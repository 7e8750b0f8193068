/** How much of a recorded cluster each policy leaves unallocatable: pods as recorded, nobody leaving, and drawn until they ask for all there is. */

import { readNodes, readPods } from './openb.ts'
import { type ClusterResult, drawUntilFull, placePods } from './place-pods.ts'
import { placingNames } from './placing-policies.ts'

export interface ClusterReport {
  readonly seed: number
  readonly nodes: number
  readonly devices: number
  readonly recorded: readonly ClusterResult[]
  readonly drawn: readonly ClusterResult[]
}

/** The texts of the two tables. */
export function reportCluster(nodeTable: string, podTable: string, seed: number): ClusterReport {
  const nodes = readNodes(nodeTable)
  const pods = readPods(podTable)
  const drawn = drawUntilFull(nodes, pods, seed)
  return {
    seed,
    nodes: nodes.length,
    devices: nodes.reduce((sum, { devices }) => sum + devices, 0),
    recorded: placingNames.map((name) => placePods(nodes, pods, name)),
    drawn: placingNames.map((name) => placePods(nodes, drawn, name)),
  }
}

/** Ours over the better of the others; below 1 is better. */
export function ratioToBest(results: readonly ClusterResult[]): number {
  const shareOf = (policy: string) =>
    results.find((result) => result.policy === policy)?.unallocatableShare ?? Number.NaN
  return shareOf('capacity') / Math.min(shareOf('best-fit'), shareOf('fgd'))
}

export function clusterLines({ seed, nodes, devices, recorded, drawn }: ClusterReport): string[] {
  return [
    `${nodes} nodes with ${devices} devices; nobody leaves. Unallocatable device memory:`,
    ...section('as recorded', recorded),
    ...section(`drawn until full, seed ${seed}`, drawn),
  ]
}

function section(title: string, results: readonly ClusterResult[]): string[] {
  const [first] = results
  return [
    `${title} (${first?.pods ?? 0} pods asking for ${percent(first?.requestedShare ?? 0)} of it)`,
    ...results.map(
      ({ policy, unallocatableShare, notPlaced }) =>
        `  ${policy.padEnd(9)} ${percent(unallocatableShare).padStart(8)}   ${notPlaced} pods not placed`,
    ),
    `  capacity / the better of the others: ${ratioToBest(results).toFixed(3)}`,
  ]
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}
