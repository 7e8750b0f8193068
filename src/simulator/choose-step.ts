/**
 * Which states share the next step: section 8 of `src/runtime/workers/PROTOCOL.md`, to the letter. Pure, and written a second time in Python, where it
 * runs in every worker; `test/contract/choose-step.json` holds the two together. Here it drives the model of a worker.
 */
import type { NodeLimit } from '../scheduler/commands.ts'
import type { PriorityClass, TaskStage } from '../scheduler/events.ts'

/** A state that may take part in a step now. Times in milliseconds. */
export interface ReadyTask {
  readonly task: number
  readonly model: number
  readonly batchKey: string
  readonly class: PriorityClass
  /** Lower goes first inside a class. */
  readonly order: number
  readonly readySince: number
  readonly stage: TaskStage
  /** Most states of its program that share a step; left out = as the policy says. */
  readonly limit?: number
  /** What its program is to its model, and what makes its steps comparable; left out = nothing is known of them. */
  readonly node?: string
  readonly shape?: string
  readonly deadlineAt?: number | null
}

/** How steps of one model are composed. */
export interface StepPolicy {
  readonly batchLimit: number
  readonly holdMs: number
  readonly interactiveFirst: boolean
  /** Of some of its nodes, what is known better; an entry without a shape is for the shapes that have none of their own. */
  readonly limits?: readonly NodeLimit[]
}

export type StepChoice =
  | { readonly step: { readonly model: number; readonly batchKey: string; readonly tasks: readonly number[] } }
  | { readonly waitUntil: number }
  | { readonly idle: true }

/** `first`: the stage whose turn it is; null = both have the same right. */
export function chooseStep(
  ready: readonly ReadyTask[],
  policies: ReadonlyMap<number, StepPolicy>,
  now: number,
  first: TaskStage | null = null,
): StepChoice {
  let firstEndOfHold = Number.POSITIVE_INFINITY
  for (const group of groupsInOrder(ready, policies, first)) {
    const policy = policyOf(policies, group[0].model)
    const limit = Math.min(...group.map((task) => limitOf(task, policy)))
    const members = group.slice(0, limit)
    const endOfHold = members.length === limit ? now : endOfHoldOf(members, policy)
    if (endOfHold <= now) {
      const { model, batchKey } = group[0]
      return { step: { model, batchKey, tasks: members.map(({ task }) => task) } }
    }
    firstEndOfHold = Math.min(firstEndOfHold, endOfHold)
  }
  return firstEndOfHold === Number.POSITIVE_INFINITY ? { idle: true } : { waitUntil: firstEndOfHold }
}

type Group = [ReadyTask, ...ReadyTask[]]

/** Those of equal rank, model and batch key together, in the order of their first members. */
function groupsInOrder(
  ready: readonly ReadyTask[],
  policies: ReadonlyMap<number, StepPolicy>,
  first: TaskStage | null,
): Iterable<Group> {
  const rank = (task: ReadyTask) => (task.class === 'batch' && policyOf(policies, task.model).interactiveFirst ? 1 : 0)
  const turn = ({ stage }: ReadyTask) => (first === null || stage === first ? 0 : 1)
  const sorted = [...ready].sort(
    (a, b) => rank(a) - rank(b) || turn(a) - turn(b) || a.order - b.order || a.task - b.task,
  )
  const groups = new Map<string, Group>()
  for (const task of sorted) {
    const key = `${rank(task)} ${task.model} ${task.batchKey}`
    const group = groups.get(key)
    if (group) group.push(task)
    else groups.set(key, [task])
  }
  return groups.values()
}

function limitOf(task: ReadyTask, policy: StepPolicy): number {
  const known = nodeLimitOf(task, policy)
  const learnt = task.class === 'batch' ? (known?.batchClassLimit ?? known?.limit) : known?.limit
  return Math.min(policy.batchLimit, task.limit ?? policy.batchLimit, learnt ?? policy.batchLimit)
}

/** Steps of a node last longer than they are expected to by this much at most, as far as deadlines are concerned. */
const lateness = 1.06

/** Until then more members may come: they are waited for no longer than a deadline leaves time for a step of one more. */
function endOfHoldOf(members: readonly ReadyTask[], policy: StepPolicy): number {
  const known = members[0] && nodeLimitOf(members[0], policy)
  const oldest = Math.min(...members.map(({ readySince }) => readySince))
  const end = oldest + (known?.holdMs ?? policy.holdMs)
  if (known?.baseMs == null || known.stateMs == null) return end
  const stepMs = lateness * (known.baseMs + known.stateMs * (members.length + 1))
  return Math.min(end, ...members.map(({ deadlineAt }) => (deadlineAt ?? Number.POSITIVE_INFINITY) - stepMs))
}

function nodeLimitOf({ node, shape }: ReadyTask, { limits = [] }: StepPolicy): NodeLimit | undefined {
  const ofNode = limits.filter((limit) => limit.node === node)
  return ofNode.find((limit) => limit.shape === shape) ?? ofNode.find((limit) => limit.shape === null)
}

function policyOf(policies: ReadonlyMap<number, StepPolicy>, model: number): StepPolicy {
  const policy = policies.get(model)
  if (!policy) throw new Error(`Model ${model} has no policy.`)
  return policy
}
