/**
 * Which states share the next step: section 8 of `src/runtime/workers/PROTOCOL.md`, to the letter. Pure, and written a second time in Python, where it
 * runs in every worker; `test/contract/choose-step.json` holds the two together. Here it drives the model of a worker.
 */
import type { PriorityClass } from '../scheduler/events.ts'

/** A state that may take part in a step now. Times in milliseconds. */
export interface ReadyTask {
  readonly task: number
  readonly model: number
  readonly batchKey: string
  readonly class: PriorityClass
  /** Lower goes first inside a class. */
  readonly order: number
  readonly readySince: number
}

/** How steps of one model are composed. */
export interface StepPolicy {
  readonly batchLimit: number
  readonly holdMs: number
  readonly interactiveFirst: boolean
}

export type StepChoice =
  | { readonly step: { readonly model: number; readonly batchKey: string; readonly tasks: readonly number[] } }
  | { readonly waitUntil: number }
  | { readonly idle: true }

export function chooseStep(
  ready: readonly ReadyTask[],
  policies: ReadonlyMap<number, StepPolicy>,
  now: number,
): StepChoice {
  let firstEndOfHold = Number.POSITIVE_INFINITY
  for (const group of groupsInOrder(ready, policies)) {
    const { batchLimit, holdMs } = policyOf(policies, group[0].model)
    const members = group.slice(0, batchLimit)
    const oldest = Math.min(...members.map(({ readySince }) => readySince))
    if (members.length === batchLimit || now - oldest >= holdMs) {
      const { model, batchKey } = group[0]
      return { step: { model, batchKey, tasks: members.map(({ task }) => task) } }
    }
    firstEndOfHold = Math.min(firstEndOfHold, oldest + holdMs)
  }
  return firstEndOfHold === Number.POSITIVE_INFINITY ? { idle: true } : { waitUntil: firstEndOfHold }
}

type Group = [ReadyTask, ...ReadyTask[]]

/** Those of equal model and batch key together, in the order of their first members. */
function groupsInOrder(ready: readonly ReadyTask[], policies: ReadonlyMap<number, StepPolicy>): Iterable<Group> {
  const rank = (task: ReadyTask) => (task.class === 'batch' && policyOf(policies, task.model).interactiveFirst ? 1 : 0)
  const sorted = [...ready].sort((a, b) => rank(a) - rank(b) || a.order - b.order || a.task - b.task)
  const groups = new Map<string, Group>()
  for (const task of sorted) {
    const key = `${task.model} ${task.batchKey}`
    const group = groups.get(key)
    if (group) group.push(task)
    else groups.set(key, [task])
  }
  return groups.values()
}

function policyOf(policies: ReadonlyMap<number, StepPolicy>, model: number): StepPolicy {
  const policy = policies.get(model)
  if (!policy) throw new Error(`Model ${model} has no policy.`)
  return policy
}
