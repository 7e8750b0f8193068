import { serverAudits } from 'graphql-http'
import { afterAll, expect, test } from 'vitest'
import { openDoors } from '../support/open-doors.ts'

const audits = serverAudits({ url: '' })
let okCount = 0
afterAll(() => console.log(`GraphQL over HTTP: ${okCount} of ${audits.length} audits are ok.`))

test('the audit is the one that was looked at', () => {
  expect(audits).toHaveLength(61)
})

test.for(audits.map(({ id, name }) => [id, name] as const))('%s %s', async ([id]) => {
  const { url } = await openDoors()
  const audit = serverAudits({ url }).find((candidate) => candidate.id === id)
  const { status, ...result } = await audit!.fn()
  expect(status, JSON.stringify(result)).toBe('ok')
  okCount++
})
