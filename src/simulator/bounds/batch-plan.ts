/**
 * The least device time in which requests could have been served within their deadlines, had all of them been known from the start: by dynamic
 * programming over the ends of batches. Requests of one kind that may all wait as long are served in the order in which they came by some best plan,
 * so that every batch is a run of neighbours.
 */

export interface BatchProblem {
  /** Ascending, in milliseconds. */
  readonly arrivals: readonly number[]
  /** Each is to be done so long after it came. */
  readonly withinMs: number
  readonly statesMax: number
  /** How long a step of so many states takes that begins then. */
  readonly stepMs: (states: number, at: number) => number
}

/** With a device to spare for every batch: each begins when its last request comes. */
export function leastBusyMs({ arrivals, withinMs, statesMax, stepMs }: BatchProblem): number {
  const least = [0]
  for (const [index, at] of arrivals.entries()) {
    let best = Number.POSITIVE_INFINITY
    for (let states = 1; states <= Math.min(statesMax, index + 1); states += 1) {
      const first = arrivals[index + 1 - states] ?? at
      const ms = stepMs(states, at)
      // Alone it is served even where that is too late for it.
      if (states > 1 && at + ms > first + withinMs) break
      best = Math.min(best, (least[index + 1 - states] ?? 0) + ms)
    }
    least.push(best)
  }
  return least.at(-1) ?? 0
}

interface Plan {
  readonly freeAt: number
  readonly busyMs: number
}

/** How many plans that end with the same request are followed further; beyond them hardly anything is gained. */
const plansMax = 64

/** On one device, one batch after the other. Where no plan meets every deadline, the one that is free first goes on. */
export function leastBusyMsOfOne({ arrivals, withinMs, statesMax, stepMs }: BatchProblem): number {
  const plans: Plan[][] = [[{ freeAt: 0, busyMs: 0 }]]
  for (const [index, at] of arrivals.entries()) {
    const inTime: Plan[] = []
    let soonest: Plan | null = null
    for (let states = 1; states <= Math.min(statesMax, index + 1); states += 1) {
      const first = arrivals[index + 1 - states] ?? at
      for (const before of plans[index + 1 - states] ?? []) {
        const beginsAt = Math.max(before.freeAt, at)
        const ms = stepMs(states, beginsAt)
        const plan = { freeAt: beginsAt + ms, busyMs: before.busyMs + ms }
        if (plan.freeAt <= first + withinMs) inTime.push(plan)
        if (!soonest || plan.freeAt < soonest.freeAt) soonest = plan
      }
    }
    plans.push(inTime.length > 0 ? unbeaten(inTime) : soonest ? [soonest] : [])
    // What lies further back than a batch reaches is not looked at again.
    if (index >= statesMax) plans[index - statesMax] = []
  }
  return Math.min(...(plans.at(-1) ?? []).map(({ busyMs }) => busyMs))
}

/** Those that no other one beats both in time and in work. */
function unbeaten(plans: Plan[]): Plan[] {
  plans.sort((a, b) => a.busyMs - b.busyMs || a.freeAt - b.freeAt)
  const kept: Plan[] = []
  for (const plan of plans) {
    const last = kept.at(-1)
    if (!last || plan.freeAt < last.freeAt) kept.push(plan)
  }
  return kept.length <= plansMax ? kept : kept.slice(0, plansMax)
}
