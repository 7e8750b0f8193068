/** Rate of use x cost to load again, per byte; the rate is a mean over five time scales, from a minute to a day. */
import { rateOf } from '../../demand/demand.ts'
import { type EvictionPolicy, reloadCost } from './policy.ts'

export const multiRate: EvictionPolicy = {
  worthOf(_state, holding, now) {
    return rateOf(holding.demand, now) * reloadCost(holding)
  },
}
