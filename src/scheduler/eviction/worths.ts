/** What models in memory are worth, by one policy or by a mixture of several. */
import type { Millis } from '../ids.ts'
import type { SchedulerState } from '../state.ts'
import { experts, policyOf } from './policies/policies.ts'
import type { Holding } from './policies/policy.ts'
import { type Pool, weightsOf } from './pool.ts'

/** What keeping each of them is worth per byte, by the policy that is set. */
export function worthsOf(
  state: SchedulerState,
  pool: Pool | undefined,
  holdings: readonly Holding[],
  now: Millis,
): number[] {
  const { eviction } = state.settings
  if (eviction === 'hedge') return mixedWorths(state, pool, holdings, now)
  return holdings.map((holding) => policyOf(eviction).worthOf(state, holding, now))
}

/** Each policy shares out one unit of value among what is there; the shares are added with what the policies count, and told per byte. */
function mixedWorths(
  state: SchedulerState,
  pool: Pool | undefined,
  holdings: readonly Holding[],
  now: Millis,
): number[] {
  const weights = pool ? weightsOf(state, pool) : null
  const worths = holdings.map(() => 0)
  for (const expert of experts) {
    const own = holdings.map((holding) => policyOf(expert).worthOf(state, holding, now))
    const total = own.reduce((sum, worth, index) => sum + worth * (holdings[index]?.bytes ?? 0), 0)
    if (total <= 0) continue
    const weight = (weights?.get(expert) ?? 1) / total
    for (const [index, worth] of own.entries()) worths[index] = (worths[index] ?? 0) + weight * worth
  }
  return worths
}
