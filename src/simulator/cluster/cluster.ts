/** Nodes with several devices, and pods that take a share of one or several whole ones: the shape of recorded clusters. */

export interface PodShape {
  readonly cpuMilli: number
  readonly memoryMib: number
  /** 0 = it needs no device. */
  readonly devices: number
  /** Of each of them, in thousandths of its memory; 1000 if it takes several. */
  readonly deviceMilli: number
}

export interface NodeShape {
  readonly cpuMilli: number
  readonly memoryMib: number
  readonly devices: number
}

export interface ClusterNode {
  readonly shape: NodeShape
  cpuMilli: number
  memoryMib: number
  /** Free thousandths of each device. */
  readonly freeMilli: number[]
}

export const wholeMilli = 1000

export function emptyNode(shape: NodeShape): ClusterNode {
  const freeMilli = Array.from({ length: shape.devices }, () => wholeMilli)
  return { shape, cpuMilli: shape.cpuMilli, memoryMib: shape.memoryMib, freeMilli }
}

/** Whether it fits in what is free on the node. */
export function fits({ cpuMilli, memoryMib, freeMilli }: ClusterNode, pod: PodShape): boolean {
  if (pod.cpuMilli > cpuMilli || pod.memoryMib > memoryMib) return false
  let places = 0
  for (const milli of freeMilli) if (milli >= pod.deviceMilli) places += 1
  return places >= pod.devices
}

/** Which devices it could take: one of each fill for a share, the first free ones for several. */
export function optionsOn({ freeMilli }: ClusterNode, { devices, deviceMilli }: PodShape): number[][] {
  if (devices === 0) return [[]]
  const able = freeMilli.flatMap((milli, index) => (milli >= deviceMilli ? [index] : []))
  if (devices > 1) return [able.slice(0, devices)]
  const seen = new Set<number>()
  return able.flatMap((index) => {
    const milli = freeMilli[index] ?? 0
    if (seen.has(milli)) return []
    seen.add(milli)
    return [[index]]
  })
}

export function take(node: ClusterNode, pod: PodShape, places: readonly number[]): void {
  change(node, pod, places, -1)
}

export function giveBack(node: ClusterNode, pod: PodShape, places: readonly number[]): void {
  change(node, pod, places, 1)
}

function change(node: ClusterNode, pod: PodShape, places: readonly number[], sign: 1 | -1): void {
  node.cpuMilli += sign * pod.cpuMilli
  node.memoryMib += sign * pod.memoryMib
  for (const place of places) node.freeMilli[place] = (node.freeMilli[place] ?? 0) + sign * pod.deviceMilli
}
