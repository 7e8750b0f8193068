/** Where a pod goes, as a cost: the least wins. Costs are in thousandths of a device. */
import { restWeight } from '../../scheduler/placement/policies/fragmentation.ts'
import { type ClusterNode, giveBack, type NodeShape, type PodShape, take, wholeMilli } from './cluster.ts'
import { type Demand, fragmentation } from './node-fragmentation.ts'

export const placingNames = ['best-fit', 'fgd', 'capacity'] as const
export type PlacingName = (typeof placingNames)[number]

export type PlacingCost = (node: ClusterNode, pod: PodShape, places: readonly number[]) => number

export function placingCost(name: PlacingName, largest: NodeShape, demand: readonly Demand[]): PlacingCost {
  switch (name) {
    case 'best-fit':
      return (node, pod, places) => restShare(node, pod, places, largest)
    case 'fgd':
      return (node, pod, places) => growth(node, pod, places, demand)
    case 'capacity':
      return (node, pod, places) =>
        growth(node, pod, places, demand) + wholeMilli * restWeight * restShare(node, pod, places, largest)
    default:
      return name satisfies never
  }
}

function growth(node: ClusterNode, pod: PodShape, places: readonly number[], demand: readonly Demand[]): number {
  const before = fragmentation(node, demand)
  take(node, pod, places)
  const after = fragmentation(node, demand)
  giveBack(node, pod, places)
  return after - before
}

/** What stays free on the node, of each resource as a share of the largest node's; a fuller device goes before an emptier one. */
function restShare(node: ClusterNode, pod: PodShape, places: readonly number[], largest: NodeShape): number {
  let freeMilli = -pod.devices * pod.deviceMilli
  for (const milli of node.freeMilli) freeMilli += milli
  const first = places[0] === undefined ? 0 : (node.freeMilli[places[0]] ?? 0)
  return (
    (node.cpuMilli - pod.cpuMilli) / largest.cpuMilli +
    (node.memoryMib - pod.memoryMib) / largest.memoryMib +
    freeMilli / (wholeMilli * largest.devices) +
    first / 1e6
  )
}
