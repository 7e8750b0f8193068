import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { type JobEvent, watch } from '../support/job-log.ts'
import { picture, submit } from '../support/submissions.ts'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

const previewsOf = (events: readonly JobEvent[]) => events.filter(({ __typename }) => __typename === 'PreviewReady')

test('previews show each picture on its way, as files that a browser can show', async () => {
  const log = watch(hearth, await submit(hearth, picture({ steps: 40, count: 2 }, { previews: { everySteps: 4 } })))
  const first = await log.event('PreviewReady')
  const response = await fetch(first.image?.url ?? '')
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe(first.image?.mimeType)
  await log.final()
  const previews = previewsOf(log.events)
  expect(new Set(previews.map(({ item }) => item))).toEqual(new Set([0, 1]))
  for (const { image } of previews)
    expect(image).toMatchObject({ mimeType: expect.stringMatching(/^image\//), width: 64, height: 64 })
  // Further apart where previews would take too much time.
  for (const item of [0, 1]) {
    const steps = previews.filter((event) => event.item === item).map(({ step = NaN }) => step)
    for (const [place, step] of steps.entries()) expect(step - (steps[place - 1] ?? 0)).toBeGreaterThanOrEqual(4)
  }
})

test('a preview is never wider than asked for', async () => {
  const log = watch(hearth, await submit(hearth, picture({ steps: 60 }, { previews: { everySteps: 2, maxWidth: 32 } })))
  await log.final()
  expect(previewsOf(log.events).length).toBeGreaterThan(0)
  for (const { image } of previewsOf(log.events)) expect(image?.width).toBeLessThanOrEqual(32)
})

test('nobody who did not ask for previews gets any', async () => {
  const log = watch(hearth, await submit(hearth, picture({ steps: 12 })))
  await log.final()
  expect(previewsOf(log.events)).toEqual([])
})

test('a preview comes before the steps that follow it, and none after the end', async () => {
  const log = watch(hearth, await submit(hearth, picture({ steps: 20 }, { previews: { everySteps: 5 } })))
  await log.final()
  const sequences = log.events.map(({ sequence }) => sequence)
  expect(sequences).toEqual(sequences.toSorted((one, other) => one - other))
  expect(log.types.at(-1)).toBe('JobSucceeded')
})

test('previews change nothing of the picture', async () => {
  const [plain, watched] = await Promise.all(
    [{}, { previews: { everySteps: 1 } }].map(async (rest) =>
      watch(hearth, await submit(hearth, picture({ steps: 10 }, rest))).output(),
    ),
  )
  expect(watched?.images?.[0]?.image?.sha256).toBe(plain?.images?.[0]?.image?.sha256)
})

test('who comes later finds the newest preview of each picture in the log', async () => {
  const id = await submit(hearth, picture({ steps: 40 }, { previews: { everySteps: 2 } }))
  const live = watch(hearth, id)
  await live.final()
  const late = watch(hearth, id)
  await late.final()
  expect(previewsOf(late.events).at(-1)?.step).toBe(previewsOf(live.events).at(-1)?.step)
})
