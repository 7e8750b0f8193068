/**
 * A decision in words, made when somebody reads it: of numbers only, and of what things are called, so that one from before a restart reads as it
 * did then. A reason is a sentence, or makes one of what the decision is about.
 */
import type { DeviceId, VersionId } from '../ids.ts'
import { mib, seconds } from './amounts.ts'
import type { Decision, DecisionReason } from './decisions.ts'
import { type PartName, type Score, type ScoreScheme, scoreSchemes } from './scores.ts'

const words: Readonly<Record<DecisionReason, string | ((facts: Facts) => string)>> = {
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
  least_recently_used: ({ model, device, forModel }) =>
    `${forModel ?? 'Another model'} needed the memory${on(device)}, and ${model ?? 'this one'} had been unused the longest.`,
  least_valuable:
    'Another model needed the memory, and this one is the least missed: by how soon it is likely to be asked for and what it costs to load again.',
  pins_do_not_fit: 'What is pinned already leaves too little memory for the weights of the model.',
  pinned: 'The model is pinned, so it is to be in memory.',
  hinted: 'A client has said that it is about to ask for the model.',
  others_waited_too_long: ({ model, device, forModel }) =>
    `${forModel ?? 'Another model'} had waited too long for memory${on(device)}, and ${model ?? 'this one'} had been there the longest.`,
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
  recycled: 'The worker had served long, so another one takes its place before its memory is used up.',
  device_lost: 'The device does not answer any more; its workers are ended, and their work goes on elsewhere.',
  model_unloaded: 'The model was unloaded before the job was done.',
  server_stops: 'The server stops; nothing new is begun.',
  rate_learnt: 'Steps of so many states come close to the best rate that was measured.',
  larger_step_tried: 'Batch work tries one state more per step, to learn whether that pays by now.',
  step_too_large: 'A step of twice as many states did not fit into memory.',
  interactive_peak: 'Interactive work comes often, so that steps of batch work are kept short.',
  interactive_work: 'Interactive work needed its place.',
  memory_pressure: ({ device }) => `Memory was short${on(device)}.`,
  peak_over: 'Interactive work has become rare again, or the trial of a larger step is over.',
  offloaded_for_memory: 'A job did not fit into memory beside it; it goes on from its checkpoint.',
  evicted_for_memory: 'A job did not fit into memory, and nobody used this model.',
  grown_beyond_plan: 'A job did not fit into memory, and the worker had grown far beyond its models.',
  moved_for_memory: 'The job did not fit into memory here; another device takes it.',
  postponed_for_memory: 'The job did not fit into memory, and nothing else could be done but to wait.',
}

export interface ScorePart {
  readonly name: string
  readonly value: number
  readonly unit: string | null
}

/** What things are called; null for what nobody knows any more. */
export interface Names {
  device(id: DeviceId): string | null
  model(id: VersionId): string | null
}

/** What a reason may speak of. */
interface Facts {
  readonly model: string | null
  readonly device: string | null
  /** The model that gains by it. */
  readonly forModel: string | null
  readonly amount: number | null
}

export function describeDecision(names: Names, decision: Decision): string {
  const { reason, deviceId, versionId, forVersionId, amount } = decision
  const said = words[reason]
  if (typeof said === 'string') return said
  const model = (id: VersionId | null) => (id === null ? null : names.model(id))
  const device = deviceId === null ? null : names.device(deviceId)
  return said({ model: model(versionId), device, forModel: model(forVersionId), amount })
}

function on(device: string | null): string {
  return device === null ? '' : ` on ${device}`
}

export function describeScore(
  names: Names,
  scheme: ScoreScheme,
  { deviceId, versionId, parts }: Score,
): { readonly summary: string; readonly parts: readonly ScorePart[] } {
  const model = versionId === null ? null : (names.model(versionId) ?? `model version ${versionId}`)
  const device = deviceId === null ? null : (names.device(deviceId) ?? `device ${deviceId}`)
  const subject = model && device ? `${model} on ${device}` : (model ?? device ?? 'none')
  const named = scoreSchemes[scheme].map((part, index) => ({ ...part, value: parts[index] ?? 0 }))
  return {
    summary: `${subject}: ${named.map(amountIn).join(', ')}`,
    parts: named.map(({ name, value, unit }) => ({ name, value, unit })),
  }
}

function amountIn({ value, unit, words: behind }: PartName & { readonly value: number }): string {
  const amount = unit === 'bytes' ? mib(value) : unit === 'ms' ? seconds(value) : String(Number(value.toPrecision(3)))
  return `${amount} ${behind}`
}
