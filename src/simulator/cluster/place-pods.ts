/**
 * Pods come one after the other and stay. What of the devices is still free when the requests add up to all there is cannot be allocated: it lies in
 * pieces that nobody fits into.
 */
import { Random } from '../random.ts'
import {
  type ClusterNode,
  emptyNode,
  fits,
  type NodeShape,
  optionsOn,
  type PodShape,
  take,
  wholeMilli,
} from './cluster.ts'
import { demandOf } from './node-fragmentation.ts'
import { type PlacingCost, type PlacingName, placingCost } from './placing-policies.ts'

export interface ClusterResult {
  readonly policy: PlacingName
  readonly pods: number
  readonly notPlaced: number
  /** Of all device memory, what was asked for. */
  readonly requestedShare: number
  /** Of all device memory, what is free after the last pod. */
  readonly unallocatableShare: number
}

export function placePods(nodes: readonly NodeShape[], pods: readonly PodShape[], policy: PlacingName): ClusterResult {
  const cluster = nodes.map(emptyNode)
  const cost = placingCost(policy, largestOf(nodes), demandOf(pods))
  const ratings = new Map<string, Ratings>()
  const versions = new Int32Array(cluster.length)
  let notPlaced = 0
  let usedMilli = 0
  for (const pod of pods) {
    const key = `${pod.cpuMilli} ${pod.memoryMib} ${pod.devices} ${pod.deviceMilli}`
    const known = ratings.get(key) ?? newRatings(cluster.length)
    ratings.set(key, known)
    const best = cheapest(cluster, pod, cost, known, versions)
    const node = cluster[best]
    if (!node) {
      notPlaced += 1
      continue
    }
    take(node, pod, known.places[best] ?? [])
    versions[best] = (versions[best] ?? 0) + 1
    usedMilli += pod.devices * pod.deviceMilli
  }
  const allMilli = deviceMilli(nodes)
  return {
    policy,
    pods: pods.length,
    notPlaced,
    requestedShare: requestedMilli(pods) / allMilli,
    unallocatableShare: 1 - usedMilli / allMilli,
  }
}

/** Pods drawn from those of a trace, as often as they are there, until they ask for as much as there is. */
export function drawUntilFull(nodes: readonly NodeShape[], pods: readonly PodShape[], seed: number): PodShape[] {
  if (requestedMilli(pods) === 0) throw new Error('No pod of the trace asks for a device: it can never be full.')
  const random = new Random(seed)
  const allMilli = deviceMilli(nodes)
  const drawn: PodShape[] = []
  for (let milli = 0; milli < allMilli; ) {
    const pod = random.pick(pods)
    drawn.push(pod)
    milli += pod.devices * pod.deviceMilli
  }
  return drawn
}

/** What a shape costs on each node, as long as the node has not changed. */
interface Ratings {
  readonly costs: Float64Array
  readonly versions: Int32Array
  readonly places: (readonly number[] | undefined)[]
}

function newRatings(count: number): Ratings {
  return {
    costs: new Float64Array(count),
    versions: new Int32Array(count).fill(-1),
    places: Array.from({ length: count }, () => undefined),
  }
}

/** -1 = it fits nowhere. Among equals the first node. */
function cheapest(
  cluster: readonly ClusterNode[],
  pod: PodShape,
  cost: PlacingCost,
  ratings: Ratings,
  versions: Int32Array,
): number {
  let best = -1
  let bestCost = Number.POSITIVE_INFINITY
  for (let index = 0; index < cluster.length; index += 1) {
    const node = cluster[index]
    if (node && ratings.versions[index] !== versions[index]) {
      ratings.versions[index] = versions[index] ?? 0
      rate(ratings, index, node, pod, cost)
    }
    const here = ratings.costs[index] ?? Number.POSITIVE_INFINITY
    if (here < bestCost) {
      best = index
      bestCost = here
    }
  }
  return best
}

function rate(ratings: Ratings, index: number, node: ClusterNode, pod: PodShape, cost: PlacingCost): void {
  ratings.costs[index] = Number.POSITIVE_INFINITY
  if (!fits(node, pod)) return
  for (const places of optionsOn(node, pod)) {
    const here = cost(node, pod, places)
    if (here >= (ratings.costs[index] ?? 0)) continue
    ratings.costs[index] = here
    ratings.places[index] = places
  }
}

function largestOf(nodes: readonly NodeShape[]): NodeShape {
  const largest = { cpuMilli: 1, memoryMib: 1, devices: 1 }
  for (const { cpuMilli, memoryMib, devices } of nodes) {
    largest.cpuMilli = Math.max(largest.cpuMilli, cpuMilli)
    largest.memoryMib = Math.max(largest.memoryMib, memoryMib)
    largest.devices = Math.max(largest.devices, devices)
  }
  return largest
}

function deviceMilli(nodes: readonly NodeShape[]): number {
  return nodes.reduce((sum, { devices }) => sum + devices * wholeMilli, 0)
}

function requestedMilli(pods: readonly PodShape[]): number {
  return pods.reduce((sum, pod) => sum + pod.devices * pod.deviceMilli, 0)
}
