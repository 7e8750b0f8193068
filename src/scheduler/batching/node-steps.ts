/** What is learnt of the steps of one node of a model, in one shape, on one device. It survives restarts. */
import type { StepSample } from '../events.ts'
import type { DeviceId, Millis, VersionId } from '../ids.ts'
import type { SchedulerState } from '../state.ts'
import { type BatchCurve, createCurve } from './curve.ts'

/** Plain values: it goes into snapshots as it is. */
export interface NodeSteps {
  readonly node: string
  readonly shape: string
  readonly curve: BatchCurve
  usedAt: Millis
  /** More states did not fit into memory; null = all that were tried did. */
  memoryLimit: number | null
  /** Private memory that each state of a step takes while it runs, at most of late; null = no worker has told. */
  bytesPerState: number | null
  /** Of class batch may try one state more, until a step of so many was timed. */
  isProbing: boolean
  stepsSinceProbe: number
}

export type StepsByPlace = Map<VersionId, Map<DeviceId, NodeSteps[]>>

/** Of a model with many shapes those that were used last are remembered. */
const nodesMax = 16

export function stepsOf(state: SchedulerState, versionId: VersionId, deviceId: DeviceId): readonly NodeSteps[] {
  return state.nodeSteps.get(versionId)?.get(deviceId) ?? []
}

/** Those of the sample's node and shape; begun with it, if they are new. */
export function nodeStepsFor(
  { nodeSteps }: SchedulerState,
  versionId: VersionId,
  deviceId: DeviceId,
  { node, shape, states }: Pick<StepSample, 'node' | 'shape' | 'states'>,
  ms: number,
): NodeSteps {
  const ofVersion = nodeSteps.get(versionId) ?? new Map<DeviceId, NodeSteps[]>()
  nodeSteps.set(versionId, ofVersion)
  const all = ofVersion.get(deviceId) ?? []
  ofVersion.set(deviceId, all)
  const known = all.find((each) => each.node === node && each.shape === shape)
  if (known) return known
  if (all.length >= nodesMax) all.splice(all.indexOf(leastRecent(all)), 1)
  const facts = { usedAt: 0, memoryLimit: null, bytesPerState: null, isProbing: false, stepsSinceProbe: 0 }
  const added: NodeSteps = { node, shape, curve: createCurve(states, ms), ...facts }
  all.push(added)
  return added
}

/** So that what one state learns, another does not. */
export function copySteps({ curve, ...facts }: NodeSteps): NodeSteps {
  const { covariance, means, ...numbers } = curve
  const [base, state, mixed] = covariance
  return {
    ...facts,
    curve: { ...numbers, covariance: [base, state, mixed], means: means.map(([states, ms]) => [states, ms]) },
  }
}

function leastRecent(all: readonly NodeSteps[]): NodeSteps {
  return all.reduce((oldest, each) => (each.usedAt < oldest.usedAt ? each : oldest))
}
