import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { asTheyCome, byCallers } from '../../../../bench/pictures/arrivals.ts'

const pictures = [8, 9, 10, 11, 12].map((steps) => ({ steps, gap: 0 }))

test('callers share the pictures: each is made once, in order, and never more at the same time than there are callers', async () => {
  const made: number[] = []
  let present = 0
  let presentMost = 0
  const { latenciesMs, perSecond } = await byCallers(2, pictures, async ({ steps }) => {
    made.push(steps)
    present += 1
    presentMost = Math.max(presentMost, present)
    await turn()
    present -= 1
  })
  expect(made).toEqual([8, 9, 10, 11, 12])
  expect(presentMost).toBe(2)
  expect(latenciesMs).toHaveLength(5)
  expect(perSecond).toBeGreaterThan(0)
})

test('strangers come whoever is still waiting', async () => {
  const first = Promise.withResolvers<void>()
  const { latenciesMs } = await asTheyCome(0, pictures, async ({ steps }) => {
    // The first picture ends only when the last has been asked for.
    if (steps === 12) first.resolve()
    if (steps === 8) await first.promise
  })
  expect(latenciesMs).toHaveLength(5)
})

test('a picture that fails ends the round with its error', async () => {
  const fail = async () => {
    throw new Error('no picture')
  }
  await expect(byCallers(1, pictures, fail)).rejects.toThrow('no picture')
  await expect(asTheyCome(0, pictures.slice(0, 1), fail)).rejects.toThrow('no picture')
})
