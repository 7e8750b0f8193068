/** The eviction policies by name. */
import { anticipated } from './anticipated.ts'
import { decayedValue } from './decayed-value.ts'
import { gdsf } from './gdsf.ts'
import { lfu } from './lfu.ts'
import { lru } from './lru.ts'
import { multiRate } from './multi-rate.ts'
import type { EvictionPolicy } from './policy.ts'

/** `hedge`: a mixture of the experts, which follows those that do best. */
export const evictionNames = ['lru', 'lfu', 'gdsf', 'multi-rate', 'decayed-value', 'hedge'] as const
export type EvictionName = (typeof evictionNames)[number]

/** LFU is none of them: without ageing it only ever gets worse. */
export const experts = ['lru', 'gdsf', 'multi-rate', 'decayed-value', 'anticipated'] as const
export type Expert = (typeof experts)[number]

const policies: Readonly<Record<Exclude<EvictionName, 'hedge'> | Expert, EvictionPolicy>> = {
  lru,
  lfu,
  gdsf,
  'multi-rate': multiRate,
  'decayed-value': decayedValue,
  anticipated,
}

export function policyOf(name: Exclude<EvictionName, 'hedge'> | Expert): EvictionPolicy {
  return policies[name]
}
