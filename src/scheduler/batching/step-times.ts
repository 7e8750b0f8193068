/** What workers tell of the length of their steps, and what follows from it: other limits, and now and then a trial of a larger step. */
import type { SchedulerEvent, StepSample } from '../events.ts'
import type { LiveResidency } from '../state.ts'
import { decided, type Turn } from '../turn.ts'
import { learnStep } from './curve.ts'
import { noteStep } from './load-of-device.ts'
import { type NodeSteps, nodeStepsFor } from './node-steps.ts'
import { refreshPolicy } from './policy-changes.ts'

/** Below the clock's grain; nothing takes no time at all. */
const stepMsMin = 0.001
/** Of the most memory that a state took, how much is still expected after a step that took less. */
const memoryDecay = 0.9

export function takeStepTimes(turn: Turn, event: Extract<SchedulerEvent, { readonly type: 'stepsTimed' }>): void {
  const residency = turn.state.workers.get(event.workerId)?.residencies.get(event.versionId)
  if (!residency) return
  for (const sample of event.samples) learn(turn, residency, sample)
  for (const { node, shape, states } of event.tooLarge) limitForMemory(turn, residency, { node, shape, states })
  refreshPolicy(turn, residency)
}

function learn(turn: Turn, residency: LiveResidency, sample: StepSample): void {
  const { states, steps, peakBytes } = sample
  const ms = Math.max(sample.ms, stepMsMin)
  noteStep(residency.worker.slot.device, ms * steps, turn.now)
  const known = stepsAt(turn, residency, sample, ms)
  learnStep(known.curve, states, ms, steps)
  if (peakBytes !== null) learnMemory(known, Math.ceil(peakBytes / states))
  if (known.memoryLimit !== null && states > known.memoryLimit) known.memoryLimit = states
  noteTrial(turn, residency, known, sample)
}

/** The most of late: what inputs of one day took, or somebody else at the same time, is not held against a model for ever. */
function learnMemory(known: NodeSteps, bytesPerState: number): void {
  const formerBytes = Math.floor((known.bytesPerState ?? 0) * memoryDecay)
  known.bytesPerState = Math.max(bytesPerState, formerBytes)
}

/** A step too large for memory is never tried again at that size, until trials from below have come there. */
function limitForMemory(
  turn: Turn,
  residency: LiveResidency,
  step: Pick<StepSample, 'node' | 'shape' | 'states'>,
): void {
  const known = stepsAt(turn, residency, step, stepMsMin)
  const limit = Math.max(1, Math.floor(step.states / 2))
  if (known.memoryLimit !== null && known.memoryLimit <= limit) return
  known.memoryLimit = limit
  known.isProbing = false
  known.stepsSinceProbe = 0
  const { version, worker } = residency
  decided(turn, {
    kind: 'SET_BATCH_LIMIT',
    reason: 'step_too_large',
    versionId: version.spec.versionId,
    deviceId: worker.slot.device.spec.deviceId,
    workerId: worker.workerId,
    amount: limit,
  })
}

function noteTrial(turn: Turn, { told }: LiveResidency, known: NodeSteps, { states, steps }: StepSample): void {
  const limit = told.limits.find(({ node, shape }) => node === known.node && shape === known.shape)?.limit
  if (limit === undefined) return
  known.stepsSinceProbe += steps
  if (states > limit) {
    known.isProbing = false
    known.stepsSinceProbe = 0
  } else if (known.stepsSinceProbe >= turn.state.settings.batching.probeSteps) {
    known.isProbing = true
  }
}

function stepsAt(
  { state, now }: Turn,
  { version, worker }: LiveResidency,
  step: Pick<StepSample, 'node' | 'shape' | 'states'>,
  ms: number,
): NodeSteps {
  const steps = nodeStepsFor(state, version.spec.versionId, worker.slot.device.spec.deviceId, step, ms)
  steps.usedAt = now
  return steps
}
