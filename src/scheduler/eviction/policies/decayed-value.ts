/** Uses of the last ten minutes, fading, x cost to load again, per byte. */
import { recentCount } from '../../demand/demand.ts'
import { type EvictionPolicy, reloadCost } from './policy.ts'

export const decayedValue: EvictionPolicy = {
  worthOf(_state, holding, now) {
    return recentCount(holding.demand, now) * reloadCost(holding)
  },
}
