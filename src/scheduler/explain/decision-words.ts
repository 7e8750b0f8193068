/** A decision in words, made when somebody reads it. */

import type { SchedulerState } from '../state.ts'
import { mib } from './amounts.ts'
import { type Decision, type DecisionReason, type Score, scoreParts } from './decisions.ts'

const words: Readonly<Record<DecisionReason, string>> = {
  worker_has_room: 'The worker can take more.',
  retried_alone: 'A worker died while the job ran, so it has a worker for itself.',
  too_large: 'No device could hold the model, even empty.',
  load_keeps_failing: 'The model could not be loaded in any of the attempts it was given.',
  jobs_wait: 'Jobs wait for the model.',
  asked_for: 'Somebody asked for it.',
  queue_too_long: 'The queue was too long for one copy, and another device was idle.',
  was_resident: 'The model was resident until its worker died or its files had to be read again.',
  engine_needed: 'The device had no worker of this engine.',
  spare_wanted: 'The engine had no spare worker.',
  least_recently_used: 'Another model needed the memory, and this one had been unused the longest.',
  others_waited_too_long: 'Another model had waited too long for memory, and this one had been there the longest.',
  idle_worker: 'A model needed the memory, and the worker held nothing.',
  worker_lost: 'The worker died before the job had started there.',
  worker_stopped: 'The worker was asked to stop.',
  suspect: 'The job was in the step in which the worker died.',
  engine_error: 'The engine failed.',
  out_of_memory: 'The device ran out of memory.',
  load_failed: 'The model could not be loaded.',
  server_restarted: 'The server was restarted.',
  withdrawn: 'The model makes room before the job had started.',
  spare_took_over: 'The worker was lost, and a spare was ready.',
  started_again: 'The worker was lost.',
  stale_model: 'The files of the model were found changed under it, so they are read again.',
  version_gone: 'The files of the model were replaced, and no worker has the former ones loaded any more.',
  model_unloaded: 'The model was unloaded before the job was done.',
  server_stops: 'The server stops; nothing new is begun.',
}

const units: Readonly<Record<(typeof scoreParts)[number], string | null>> = {
  missingBytes: 'bytes',
  tasksPerCore: null,
  startSteps: null,
  availableBytes: 'bytes',
}

export interface ScorePart {
  readonly name: string
  readonly value: number
  readonly unit: string | null
}

export function describeDecision({ reason }: Decision): string {
  return words[reason]
}

export function describeScore(
  state: SchedulerState,
  { deviceId, parts }: Score,
): { readonly summary: string; readonly parts: readonly ScorePart[] } {
  const name = state.devices.get(deviceId)?.spec.name ?? `device ${deviceId}`
  const [missingBytes, tasksPerCore, , availableBytes] = parts
  const room = missingBytes > 0 ? `${mib(missingBytes)} missing` : `${mib(availableBytes)} available`
  return {
    summary: `${name}: ${room}, ${tasksPerCore.toFixed(1)} tasks per core`,
    parts: scoreParts.map((part, index) => ({ name: part, value: parts[index] ?? 0, unit: units[part] })),
  }
}
