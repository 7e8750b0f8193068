/** A hint that a model will be asked for soon. It is demand that is expected: it may have the model loaded, and promises nothing. */
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
  shell.feed({ type: 'hintGiven', versionId, withinMs: withinSeconds * 1000, probability })
  return { accepted: true, reason: outcome(context, versionId, name, seconds(withinSeconds * 1000)) }
}

function outcome({ shell }: AppContext, versionId: number, name: string, within: string): string {
  const copies = [...shell.state.residencies.values()].filter(({ version }) => version.spec.versionId === versionId)
  const device = (copy: (typeof copies)[number]) => copy.worker.slot.device.spec.name
  const resident = copies.find(({ state }) => state === 'resident')
  if (resident) return `${name} is loaded on ${device(resident)}, and counts as expected within ${within}.`
  const loading = copies.find(({ state }) => state === 'loading')
  if (loading) return `${name} is being loaded on ${device(loading)}.`
  return `${name} is expected within ${within}; it is loaded when a device has room for it, or when it is worth more than what is there.`
}
