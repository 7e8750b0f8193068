import { expect, test } from 'vitest'
import { schedulingPolicies } from '../../../src/app/scheduling-policies.ts'
import { evictions, readConfig, routings } from '../../../src/config/config.ts'

const policy = (name: string, environment: Record<string, string> = {}) =>
  schedulingPolicies(readConfig(environment)).find((setting) => setting.name === name)

test('the policies in force are told with what they do', () => {
  expect(policy('routing')).toMatchObject({ value: 'ect', description: expect.stringMatching(/done first/) })
  expect(policy('queueOrder', { HEARTH_QUEUE_ORDER: 'arrival' })).toMatchObject({
    value: 'arrival',
    description: 'Strictly first come, first served.',
  })
})

test('every policy has words', () => {
  for (const name of routings) expect(policy('routing', { HEARTH_ROUTING: name })!.description).toMatch(/^[A-Z].*\.$/)
  for (const name of evictions)
    expect(policy('eviction', { HEARTH_EVICTION: name })!.description).toMatch(/^[A-Z].*\.$/)
})
