/**
 * How much of a node's free device memory the next pod, drawn from recent demand, could not use (fragmentation gradient descent): all of it where the pod
 * does not fit on the node, else what is free on devices that have too little for it.
 */
import { type ClusterNode, type PodShape, wholeMilli } from './cluster.ts'

export interface Demand {
  readonly pod: PodShape
  readonly share: number
}

/** The most frequent shapes that together make up `coverage` of all pods with devices. */
export function demandOf(pods: readonly PodShape[], coverage = 0.95): Demand[] {
  const counts = new Map<string, { pod: PodShape; count: number }>()
  let all = 0
  for (const pod of pods) {
    if (pod.devices === 0) continue
    const key = `${pod.cpuMilli} ${pod.memoryMib} ${pod.devices} ${pod.deviceMilli}`
    const known = counts.get(key) ?? { pod, count: 0 }
    known.count += 1
    counts.set(key, known)
    all += 1
  }
  const frequent: Demand[] = []
  let covered = 0
  for (const { pod, count } of [...counts.values()].sort((a, b) => b.count - a.count)) {
    if (covered >= coverage * all) break
    frequent.push({ pod, share: count / all })
    covered += count
  }
  return frequent
}

/** In thousandths of a device. */
export function fragmentation(node: ClusterNode, demand: readonly Demand[]): number {
  let lost = 0
  for (const { pod, share } of demand) lost += share * unusable(node, pod)
  return lost
}

function unusable({ cpuMilli, memoryMib, freeMilli }: ClusterNode, pod: PodShape): number {
  let places = 0
  let free = 0
  let tooLittle = 0
  for (const milli of freeMilli) {
    free += milli
    if (milli >= pod.deviceMilli) places += 1
    else tooLittle += milli
  }
  const isOut = places < pod.devices || pod.cpuMilli > cpuMilli || pod.memoryMib > memoryMib
  return isOut ? free : pod.devices > 1 ? free - wholeMilli * places : tooLittle
}
