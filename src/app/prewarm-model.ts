/** A hint that a model will be asked for soon. It is demand that is expected: it may have the model loaded, and promises nothing. */
import { type HintVerdict, isHonoured } from '../scheduler/demand/hint-verdict.ts'
import { mib, seconds } from '../scheduler/explain/amounts.ts'
import type { AppContext } from './context.ts'
import { InvalidInput, NotFound, type Overloaded } from './errors.ts'
import { refusedModel } from './refused-model.ts'
import { Problems } from './validation/problems.ts'
import { drainingRefusal } from './wishes.ts'

export interface PrewarmModelInput {
  readonly model: string
  readonly withinSeconds: number
  /** 0 to 1. */
  readonly probability: number
}
/** Whether the hint counts, and what comes of it as far as can be said now. */
export interface Prewarming {
  readonly accepted: boolean
  readonly reason: string
}

/** Further ahead a hint says less than what is learnt. */
const withinSecondsMax = 24 * 3600

export function prewarmModel(
  context: AppContext,
  { model, withinSeconds, probability }: PrewarmModelInput,
): Prewarming | InvalidInput | NotFound | Overloaded {
  const { catalogue, shell } = context
  const problems = new Problems('')
  problems.number('withinSeconds', withinSeconds, 0, withinSecondsMax, true)
  problems.number('probability', probability, 0, 1)
  if (problems.found.length > 0) return new InvalidInput(problems.found)
  const entry = catalogue.resolve(model)
  if (!entry) return new NotFound('Model', model)
  if (shell.draining) return drainingRefusal()
  const { name } = entry.model
  if (!entry.spec) return { accepted: false, reason: refusedModel(entry).message }
  const { versionId } = entry.spec
  const misfit = shell.misfit(versionId)
  if (misfit) {
    const reason = `${name} needs ${mib(misfit.neededBytes)}, but the largest device offers ${mib(misfit.availableBytes)} for it.`
    return { accepted: false, reason }
  }
  const verdict = shell.hintVerdict(versionId, probability)
  shell.feed({ type: 'hintGiven', versionId, withinMs: withinSeconds * 1000, probability })
  return { accepted: isHonoured(verdict), reason: words[verdict](name, seconds(withinSeconds * 1000)) }
}

const words: Readonly<Record<HintVerdict, (name: string, within: string) => string>> = {
  there: (name, within) => `${name} is loaded, and counts as expected within ${within}.`,
  loading: (name) => `${name} is being loaded.`,
  fits: (name) => `${name} is loaded now: there is room for it.`,
  displaces: (name) => `${name} is loaded in place of models that are less likely to be missed.`,
  unlikely: (name) => `Nothing is loaded for a hint that says itself that nobody will ask for ${name}.`,
  gone: (name) => `The files of ${name} have been replaced.`,
  too_large: (name) => `${name} is larger than any device.`,
  in_use: (name, within) =>
    `Models that are in use, or kept for somebody, have the memory; ${name} is loaded should some become free within ${within}.`,
  worth_less: (name, within) =>
    `What would have to go is likelier to be missed; ${name} is loaded should memory become free within ${within}.`,
}
