/**
 * GreedyDual-Size-Frequency (Cherkasova 1998): frequency x cost / size, on top of how far values had risen at the last use; with every victim they rise
 * to what it was worth, and so whoever is not used sinks. Frequencies are kept after an eviction, because there are few models.
 */
import { type EvictionPolicy, reloadCost } from './policy.ts'

export const gdsf: EvictionPolicy = {
  rises: true,
  worthOf(_state, holding) {
    return Math.max(0, holding.risen - holding.risenNow + holding.demand.requests * reloadCost(holding))
  },
}
