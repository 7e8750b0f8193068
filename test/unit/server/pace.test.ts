import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Pace } from '../../../src/server/pace.ts'

test('a stream goes on within a turn until it has had its share', async () => {
  const pace = new Pace()
  expect(pace.wrote(20_000)).toBeNull()
  const pause = pace.wrote(20_000)
  expect(pause).toBeInstanceOf(Promise)
  expect(pace.wrote(1)).toBe(pause)
  await pause
  expect(pace.wrote(20_000)).toBeNull()
})

test('waiting for the pause lets others have their turn', async () => {
  const order: string[] = []
  const other = nextTurn().then(() => order.push('other'))
  await new Pace().wrote(100_000)
  order.push('stream')
  await other
  expect(order).toEqual(['other', 'stream'])
})
