/** The selectable routing policies by their names. */
import type { RoutingName } from '../../settings.ts'
import { adaptive } from './adaptive.ts'
import { affinity } from './affinity.ts'
import { capacity } from './capacity.ts'
import { complexity } from './complexity.ts'
import { leastLoaded } from './least-loaded.ts'
import { performanceRank } from './performance-rank.ts'
import type { RoutingPolicy } from './policy.ts'
import { roundRobin } from './round-robin.ts'
import { weightedRoundRobin } from './weighted-round-robin.ts'

/** Null = estimated completion time, which is no policy among others: it also decides what is loaded and what has to go. */
export const routingPolicies: Readonly<Record<RoutingName, RoutingPolicy | null>> = {
  ect: null,
  'round-robin': roundRobin,
  wrr: weightedRoundRobin,
  'least-loaded': leastLoaded,
  affinity,
  capacity,
  performance: performanceRank,
  complexity,
  adaptive,
}
