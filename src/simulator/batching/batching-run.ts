/** Requests served in steps that `chooseStep` composes, with one device or with one to spare for every step, under some rule for batches. */
import { nothingSummed, plus, sumAt } from '../../scheduler/batching/decayed-sum.ts'
import { leastBusyMs, leastBusyMsOfOne } from '../bounds/batch-plan.ts'
import { chooseStep, type ReadyTask } from '../choose-step.ts'
import { Random } from '../random.ts'
import { type BatchPolicyName, createBatchPolicy } from './batch-policies.ts'
import { arrivalsOf, type BatchWorkload } from './batch-workloads.ts'

export interface BatchingResult {
  /** Device time of a clairvoyant, as a share of what was used. */
  readonly efficiency: number
  /** Share of requests that were done too late. */
  readonly misses: number
  readonly meanStates: number
}

const model = 1
/** How long it counts that a device was busy, in times that a request may wait. */
const busyMemory = 10
/** Steps vary around their length by so much, either way. */
const noise = 0.03

export function runBatching(
  workload: BatchWorkload,
  policyName: BatchPolicyName,
  requests: number,
  seed: number,
): BatchingResult {
  const { withinMs, statesMax, isScarce } = workload
  const arrivals = arrivalsOf(workload, requests, seed)
  const driftsAt = arrivals[Math.floor(requests / 2)] ?? Number.POSITIVE_INFINITY
  const stepMs = (states: number, at: number) =>
    (workload.baseMs + workload.stateMs * states) * (at >= driftsAt ? workload.drift : 1)
  const { busyMs, late, steps } = serve(workload, policyName, arrivals, stepMs, new Random(seed + 1))
  const problem = { arrivals, withinMs, statesMax, stepMs }
  return {
    efficiency: (isScarce ? leastBusyMsOfOne(problem) : leastBusyMs(problem)) / busyMs,
    misses: late / requests,
    meanStates: requests / steps,
  }
}

function serve(
  workload: BatchWorkload,
  policyName: BatchPolicyName,
  arrivals: readonly number[],
  stepMs: (states: number, at: number) => number,
  random: Random,
) {
  const policy = createBatchPolicy(policyName, workload)
  const running: { readonly endsAt: number; readonly ms: number; readonly members: readonly number[] }[] = []
  const ready = new Map<number, ReadyTask>()
  let [now, next, busyMs, late, steps] = [0, 0, 0, 0, 0]
  const tauMs = busyMemory * workload.withinMs
  let used = nothingSummed
  const busyShare = () => (workload.isScarce ? Math.min(1, sumAt(used, now, tauMs) / tauMs) : 0)
  const isInTime = (request: number) => now <= (arrivals[request] ?? 0) + workload.withinMs
  while (next < arrivals.length || ready.size > 0 || running.length > 0) {
    const isFree = !workload.isScarce || running.length === 0
    const choice = isFree ? chooseStep([...ready.values()], new Map([[model, policy.current(busyShare())]]), now) : null
    if (choice && 'step' in choice) {
      const members = choice.step.tasks
      const ms = stepMs(members.length, now) * random.between(1 - noise, 1 + noise)
      running.push({ endsAt: now + ms, ms, members })
      for (const request of members) ready.delete(request)
      busyMs += ms
      used = plus(used, ms, now, tauMs)
      steps += 1
      continue
    }
    const ending = running.reduce(
      (first, step) => (step.endsAt < first ? step.endsAt : first),
      Number.POSITIVE_INFINITY,
    )
    const holdEnds = choice && 'waitUntil' in choice ? choice.waitUntil : Number.POSITIVE_INFINITY
    now = Math.min(arrivals[next] ?? Number.POSITIVE_INFINITY, ending, holdEnds)
    for (const step of running.filter(({ endsAt }) => endsAt <= now)) {
      running.splice(running.indexOf(step), 1)
      const missed = step.members.filter((request) => !isInTime(request)).length
      late += missed
      policy.learn(step.members.length, step.ms, missed === 0)
    }
    for (; (arrivals[next] ?? Number.POSITIVE_INFINITY) <= now; next += 1)
      ready.set(next, request(next, arrivals, workload))
  }
  return { busyMs, late, steps }
}

function request(task: number, arrivals: readonly number[], { withinMs }: BatchWorkload): ReadyTask {
  const readySince = arrivals[task] ?? 0
  const kind = { model, batchKey: '', class: 'batch', stage: 'inference', node: 'node', shape: '' } as const
  return { ...kind, task, order: task, readySince, deadlineAt: readySince + withinMs }
}
