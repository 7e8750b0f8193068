/** Chance to be what the next job asks for x cost to load again, per byte; what makes a job likely is learnt. */
import { chanceOf } from '../../demand/anticipation.ts'
import { type EvictionPolicy, reloadCost } from './policy.ts'

export const anticipated: EvictionPolicy = {
  worthOf({ anticipation }, holding, now) {
    return chanceOf(anticipation, holding.demand, now) * reloadCost(holding)
  },
}
