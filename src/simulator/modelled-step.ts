/** How a modelled worker comes to its steps, and when it gives one up. */
import type { TaskStage } from '../scheduler/events.ts'
import type { Millis } from '../scheduler/ids.ts'
import type { ReadyTask, StepPolicy } from './choose-step.ts'
import type { ModelledTask } from './modelled-task.ts'

export interface WorkerPolicy extends StepPolicy {
  readonly interruptAfterMs: number
  readonly checkpointSteps: number
  readonly inferenceShare: number
}

export interface RunningStep {
  readonly members: readonly ModelledTask[]
  readonly endsAt: Millis
}

/** A modelled model has one. */
export const modelledNode = 'model'

const stageSliceMs = 100
const interruptionsInARowMax = 3

export function readyTask({ taskId, nature, admission, readySince }: ModelledTask): ReadyTask {
  const { class: priorityClass, order, stage, deadlineAt } = admission
  const { versionId: model, batchKey } = nature
  const node = modelledNode
  const turn = { class: priorityClass, order, readySince, deadlineAt }
  return { task: taskId, model, batchKey, ...turn, stage, node, shape: batchKey }
}

/** In each slice inference goes first for its share. */
export function stageFirst(policies: ReadonlyMap<number, WorkerPolicy>, now: Millis): TaskStage {
  const [policy] = policies.values()
  const share = policy?.inferenceShare ?? 0
  return now % stageSliceMs < share * stageSliceMs ? 'inference' : 'postprocessing'
}

/** A long step of batch work makes way, a few times in a row at most. */
export function mayInterrupt(
  { members, endsAt }: RunningStep,
  policies: ReadonlyMap<number, WorkerPolicy>,
  now: Millis,
): boolean {
  return members.every(({ nature, admission, interruptions }) => {
    const longMs = policies.get(nature.versionId)?.interruptAfterMs ?? Number.POSITIVE_INFINITY
    return admission.class === 'batch' && interruptions < interruptionsInARowMax && endsAt - now > longMs
  })
}
