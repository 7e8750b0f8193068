/**
 * A decision in words, made when somebody reads it: of numbers only, and of what things are called, so that one from before a restart reads as it
 * did then. A reason is a sentence, or makes one of what the decision is about.
 */
import type { DeviceId, VersionId } from '../ids.ts'
import { mib, seconds } from './amounts.ts'
import type { Decision, DecisionReason } from './decisions.ts'
import { type PartName, type Score, type ScoreScheme, scoreSchemes } from './scores.ts'

const words: Readonly<Record<DecisionReason, string | ((facts: Facts) => string)>> = {
  worker_has_room: ({ model, device }) => `${the(model)} has room for another task${on(device)}.`,
  retried_alone: 'A worker died while the job ran, so it has a worker for itself.',
  too_large: ({ model, device }) =>
    `${the(model)} does not fit ${device === null ? 'any device' : `on ${device}`}, even if nothing else is there.`,
  load_keeps_failing: ({ model }) => `${the(model)} could not be loaded in any of the attempts it was given.`,
  routed: ({ device }) => `${device ?? 'This device'} was chosen for it when it came.`,
  faster_elsewhere: ({ model, device }) =>
    `${model ?? 'The model'} is much asked for, and runs faster ${device === null ? 'elsewhere' : `on ${device} than where it was`}.`,
  routed_for_want_of_better: ({ device }) =>
    `${device ?? 'This device'} was the best for it, though not as good as the policy asks for.`,
  jobs_wait: ({ model }) => `Jobs wait for ${model ?? 'the model'}.`,
  asked_for: 'Somebody asked for it.',
  queue_too_long: ({ model }) =>
    `The queue of ${model ?? 'the model'} was too long for the copies there are, and another device had time.`,
  was_resident: ({ model }) => `${the(model)} was resident until its worker died or its files had to be read again.`,
  engine_needed: ({ device }) => `${device ?? 'The device'} had no worker of this engine.`,
  spare_wanted: ({ device }) => `The engine had no spare worker${on(device)}.`,
  least_recently_used: ({ model, device, forModel }) =>
    `${forModel ?? 'Another model'} needed the memory${on(device)}, and ${model ?? 'this one'} had been unused the longest.`,
  least_valuable: ({ model, device, forModel }) =>
    `${forModel ?? 'Another model'} needed the memory${on(device)}, and ${model ?? 'this one'} is the least missed: by how soon it is likely to be asked for and what it costs to load again.`,
  pins_do_not_fit: ({ model, device, amount }) =>
    `${the(model)} needs ${bytes(amount)} of weights${on(device)}, and what is pinned already leaves less.`,
  pinned: ({ model }) => `${the(model)} is pinned, so it is to be in memory.`,
  hinted: ({ model }) => `A client has said that it is about to ask for ${model ?? 'the model'}.`,
  others_waited_too_long: ({ model, device, forModel }) =>
    `${forModel ?? 'Another model'} had waited too long for memory${on(device)}, so ${model ?? 'this one'} finishes what it runs and makes room.`,
  idle_worker: ({ device, forModel }) =>
    `${forModel ?? 'A model'} needed the memory${on(device)}, and the worker held nothing.`,
  worker_lost: 'The worker died before the job had started there.',
  worker_stopped: 'The worker was asked to stop.',
  suspect: 'The job was in the step in which the worker died.',
  engine_error: 'The engine failed.',
  out_of_memory: ({ device }) => `Memory ran out${on(device)}.`,
  load_failed: ({ model }) => `${the(model)} could not be loaded.`,
  server_restarted: 'The server was restarted.',
  withdrawn: ({ model }) => `${the(model)} makes room before the job had started.`,
  spare_took_over: ({ device }) => `The worker${on(device)} was lost, and a spare was ready.`,
  started_again: ({ device }) => `The worker${on(device)} was lost.`,
  stale_model: ({ model }) =>
    `The files of ${model ?? 'the model'} were found changed under it, so they are read again.`,
  version_gone: ({ model }) =>
    `The files of ${model ?? 'the model'} were replaced, and no worker has the former ones loaded any more.`,
  recycled: ({ device, amount }) =>
    `The worker${on(device)} had served ${amount === null ? 'long' : `${amount} tasks`}, so another one takes its place before its memory is used up.`,
  device_lost: ({ device }) =>
    `${device ?? 'The device'} does not answer any more; its workers are ended, and their work goes on elsewhere.`,
  model_unloaded: ({ model }) => `${the(model)} was unloaded before the job was done.`,
  server_stops: 'The server stops; nothing new is begun.',
  rate_learnt: ({ model, device, amount }) =>
    `Steps of ${states(amount)}${of(model)}${on(device)} come close to the best rate that was measured.`,
  larger_step_tried: ({ model, device, amount }) =>
    `Batch work${of(model)}${on(device)} tries ${states(amount)} per step, to learn whether more pays by now.`,
  step_too_large: ({ model, device, amount }) =>
    `A larger step${of(model)}${on(device)} did not fit into memory, so steps take ${states(amount)}.`,
  interactive_peak: ({ device }) => `Interactive work comes often${on(device)}, so steps of batch work are kept short.`,
  pause_over: 'What it had to make way for is over.',
  interactive_work: ({ device }) => `Interactive work needed its place${on(device)}.`,
  memory_pressure: ({ device }) => `Memory was short${on(device)}.`,
  peak_over: ({ device }) =>
    `Interactive work has become rare again${on(device)}, or the trial of a larger step is over.`,
  offloaded_for_memory: 'A job did not fit into memory beside it; it goes on from its checkpoint.',
  evicted_for_memory: ({ model, device }) =>
    `A job did not fit into memory${on(device)}, and nobody used ${model ?? 'this model'}.`,
  grown_beyond_plan: ({ device }) =>
    `A job did not fit into memory${on(device)}, and the worker had grown far beyond its models.`,
  moved_for_memory: ({ device }) => `The job did not fit into memory${on(device)}; another device takes it.`,
  postponed_for_memory: ({ device }) =>
    `The job did not fit into memory${on(device)}, and nothing else could be done but to wait.`,
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

function the(model: string | null): string {
  return model ?? 'The model'
}

function of(model: string | null): string {
  return model === null ? '' : ` of ${model}`
}

function bytes(amount: number | null): string {
  return amount === null ? 'more' : mib(amount)
}

function states(amount: number | null): string {
  return amount === null ? 'so many tasks' : amount === 1 ? 'one task' : `${amount} tasks`
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
