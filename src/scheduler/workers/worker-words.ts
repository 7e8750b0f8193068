/** What is said of a residency: to its worker, how to compose steps; to everybody else, how it stands. */
import { stepLimitsOf } from '../batching/step-policy.ts'
import type { Residency } from '../commands.ts'
import type { LiveResidency } from '../state.ts'
import type { Turn } from '../turn.ts'

export function sendPolicy(turn: Turn, residency: LiveResidency): void {
  const { versionId, interruptAfterMs } = residency.version.spec
  const { checkpointSteps, inferenceShare } = turn.state.settings
  residency.told = stepLimitsOf(turn.state, residency, turn.now)
  turn.commands.push({
    type: 'setPolicy',
    workerId: residency.worker.workerId,
    versionId,
    ...residency.told,
    interactiveFirst: true,
    interruptAfterMs,
    checkpointSteps,
    inferenceShare,
  })
}

export function tellResidency(turn: Turn, live: LiveResidency): void {
  const { residencyId, version, worker, state, weights, working, loadedAt, lastUsedAt } = live
  const residency: Residency = {
    residencyId,
    versionId: version.spec.versionId,
    deviceId: worker.slot.device.spec.deviceId,
    workerId: worker.workerId,
    state,
    sizeBytes: weights.sizeBytes + working.sizeBytes,
    loadedBytes: loadedBytes(live),
    components: [...live.components].sort((a, b) => a - b),
    loadedAt,
    lastUsedAt,
  }
  turn.commands.push({ type: 'residencyChanged', residency })
}

/** What was measured once all is there; until then what is planned for the components that are. */
function loadedBytes({ version, components, weights, loadedAt }: LiveResidency): number {
  if (loadedAt !== null) return weights.sizeBytes
  let bytes = 0
  for (const component of components) bytes += version.spec.componentBytes[component] ?? 0
  return bytes
}
