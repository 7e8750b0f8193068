import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { itemsOf, type JobEvent, textOf, watch } from '../support/job-log.ts'
import { residentBytes } from '../support/processes.ts'
import { openSlowReader } from '../support/slow-reader.ts'
import { noop, submit, submitAll, text } from '../support/submissions.ts'
import { type Transport, transports } from '../support/subscriptions.ts'

const mib = 1024 * 1024
const watching = `subscription ($id: ID!) { jobEvents(id: $id) { __typename cursor attempt sequence at jobId
  ... on TextDelta { offset text } ... on PartialResult { values } ... on JobSucceeded { output { ... on TextOutput { text } } } } }`
type Answer = { readonly jobEvents: JobEvent }

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

const slowReader = (transport: Transport, id: string) =>
  openSlowReader<Answer>(hearth, transport, { query: watching, variables: { id } })
const eventsOf = (answers: readonly Answer[]) => answers.map(({ jobEvents }) => jobEvents)

describe.each(transports)('over %s', (transport) => {
  test('a reader that stops reading misses no item, and holds nobody up', async () => {
    const items = 100_000
    const id = await submit(hearth, noop({ items }))
    const slow = await slowReader(transport, id)
    const fast = watch(hearth, id)
    await fast.final()
    expect(itemsOf(fast.events)).toHaveLength(items)
    const events = eventsOf(await slow.readOn())
    expect(itemsOf(events)).toEqual(itemsOf(fast.events))
    expect(events.at(-1)?.__typename).toBe('JobSucceeded')
  })

  test('a reader that stops reading misses no text', async () => {
    const id = await submit(hearth, text({ prompt: 'Write a long story about the sea.', maxTokens: 120 }))
    const slow = await slowReader(transport, id)
    const output = await watch(hearth, id).output()
    const events = eventsOf(await slow.readOn())
    expect(textOf(events)).toBe(output.text)
    expect(events.at(-1)?.output?.text).toBe(output.text)
  })

  test('readers that stop reading cost the server little memory', async () => {
    const items = 100_000
    const ids = await submitAll(
      hearth,
      Array.from({ length: 6 }, () => noop({ items })),
    )
    for (const id of ids) await watch(hearth, id).final()
    const beforeBytes = await residentBytes(hearth.pid)
    const readers = await Promise.all(ids.flatMap((id) => Array.from({ length: 5 }, () => slowReader(transport, id))))
    // By the time a new reader has had everything, the stopped ones have been given all that they will be given.
    for (const id of ids) await watch(hearth, id).final()
    const grownBytes = (await residentBytes(hearth.pid)) - beforeBytes
    expect(grownBytes / readers.length).toBeLessThan(4 * mib)
    expect(itemsOf(eventsOf(await readers[0]!.readOn()))).toHaveLength(items)
    for (const reader of readers) reader.hangUp()
  })
})
