import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import {
  isFinal,
  isSkippable,
  itemsOf,
  type JobEvent,
  SubscriptionError,
  textOf,
  watch,
  watchByKey,
} from '../support/job-log.ts'
import { seededDraws } from '../support/random.ts'
import { itemsPerStep, noop, submit, text } from '../support/submissions.ts'
import { transports } from '../support/subscriptions.ts'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

const withoutSkippable = (events: readonly JobEvent[]) => events.filter((event) => !isSkippable(event))

describe.each(transports)('over %s', (transport) => {
  test('after any cursor comes exactly the rest, and then the end', async () => {
    const id = await submit(hearth, noop({ value: 'done', steps: 12, stepMs: 15, items: 3 * itemsPerStep }))
    await watch(hearth, id).final()
    const whole = watch(hearth, id, { transport })
    await whole.final()
    expect(whole.types).toContain('PartialResult')
    for (const [index, { cursor }] of whole.events.entries()) {
      const rest = watch(hearth, id, { transport, after: cursor })
      await rest.ended
      expect(rest.events).toEqual(whole.events.slice(index + 1))
    }
  })

  test('what was shown live is what is told afterwards', async () => {
    const live = watch(
      hearth,
      await submit(hearth, noop({ value: 1, steps: 20, stepMs: 10, items: 5 * itemsPerStep })),
      {
        transport,
      },
    )
    const { jobId } = await live.final()
    const told = watch(hearth, jobId, { transport })
    await told.final()
    expect(withoutSkippable(live.events)).toEqual(withoutSkippable(told.events))
    expect(itemsOf(live.events)).toEqual(Array.from({ length: 5 * itemsPerStep }, (_, item) => item))
  })

  test('a reader who loses the connection again and again misses nothing', async () => {
    const draw = seededDraws()
    const id = await submit(hearth, noop({ steps: 60, stepMs: 15, items: 20 * itemsPerStep }))
    const seen: JobEvent[] = []
    while (!seen.some(isFinal)) {
      const count = draw(1, 6)
      const after = seen.at(-1)?.cursor
      const log = watch(hearth, id, after === undefined ? { transport } : { transport, after })
      await log.reaches('a few events, or the end', (event) => log.events.length >= count || isFinal(event))
      await log.hangUp()
      seen.push(...log.events)
    }
    const whole = watch(hearth, id, { transport })
    await whole.final()
    expect(withoutSkippable(seen)).toEqual(withoutSkippable(whole.events))
    expect(new Set(seen.map(({ sequence }) => sequence)).size).toBe(seen.length)
  })

  test('a text read over many connections is the output', async () => {
    const draw = seededDraws()
    const id = await submit(hearth, text({ prompt: 'Write about the sea.', maxTokens: 60 }))
    const seen: JobEvent[] = []
    while (!seen.some(isFinal)) {
      const count = draw(1, 10)
      const after = seen.at(-1)?.cursor
      const log = watch(hearth, id, after === undefined ? { transport } : { transport, after })
      await log.reaches('a few events, or the end', (event) => log.events.length >= count || isFinal(event))
      await log.hangUp()
      seen.push(...log.events)
    }
    expect(textOf(seen)).toBe(seen.at(-1)?.output?.text)
  })

  test('many readers of one job all get the whole of it', async () => {
    const id = await submit(hearth, noop({ steps: 30, stepMs: 10, items: 10 * itemsPerStep }))
    const logs = Array.from({ length: 12 }, () => watch(hearth, id, { transport }))
    for (const log of logs) {
      await log.final()
      expect(itemsOf(log.events)).toHaveLength(10 * itemsPerStep)
      expect(withoutSkippable(log.events)).toEqual(withoutSkippable(logs[0]!.events))
    }
  })

  test('a job can be followed by its key', async () => {
    const key = `followed-${transport}`
    const id = await submit(hearth, noop({ steps: 5, stepMs: 10 }, { idempotencyKey: key }))
    const log = watchByKey(hearth, key, { transport })
    expect(await log.final()).toMatchObject({ __typename: 'JobSucceeded', jobId: id })
  })

  test('what cannot be followed is refused with a code', async () => {
    const id = await submit(hearth, noop())
    const { cursor } = await watch(hearth, id).final()
    const refusals = [
      { log: watch(hearth, 'nonsense', { transport }), code: 'NOT_FOUND' },
      { log: watchByKey(hearth, 'never used', { transport }), code: 'NOT_FOUND' },
      { log: watch(hearth, id, { transport, after: 'nonsense' }), code: 'BAD_USER_INPUT' },
      { log: watch(hearth, id, { transport, after: beyond(cursor) }), code: 'BAD_USER_INPUT' },
    ]
    for (const { log, code } of refusals) {
      const refusal = await log.ended.then(
        () => null,
        (error: unknown) => error,
      )
      expect(refusal).toBeInstanceOf(SubscriptionError)
      expect((refusal as SubscriptionError).codes).toEqual([code])
      expect(log.events).toEqual([])
    }
  })
})

test('nothing of a job is shown before its start', async () => {
  const inputs = [noop({ items: 10 }), noop({ steps: 3 }), text({ prompt: 'Hi.', maxTokens: 2 })]
  for (const input of inputs) {
    const log = watch(hearth, await submit(hearth, input))
    await log.final()
    const types = log.types.filter((type) => type !== 'JobLoading')
    expect(types.slice(0, 2)).toEqual(['JobQueued', 'JobStarted'])
    expect(types.filter((type) => type === 'JobStarted')).toHaveLength(1)
  }
})

test('the job beside an event is the job as it is now', async () => {
  const id = await submit(hearth, noop({ value: 'now' }))
  await watch(hearth, id).final()
  const query = 'query ($id: ID!) { job(id: $id) { events(first: 100) { nodes { __typename job { id state } } } } }'
  const { job } = await hearth.ask<{ job: { events: { nodes: { job: unknown }[] } } }>(query, { id })
  for (const node of job.events.nodes) expect(node.job).toEqual({ id, state: 'SUCCEEDED' })
})

test('sequences rise over all jobs, and attempts are counted from one', async () => {
  const log = watch(hearth, await submit(hearth, noop({ steps: 3 })))
  await log.final()
  const later = watch(hearth, await submit(hearth, noop({ steps: 3 })))
  await later.final()
  expect(later.events[0]!.sequence).toBeGreaterThan(log.events.at(-1)!.sequence)
  expect(new Set(log.events.slice(1).map(({ attempt }) => attempt))).toEqual(new Set([1]))
})

/** A well-formed cursor of a place that the log has not reached. */
function beyond(cursor: string): string {
  const [tag] = Buffer.from(cursor, 'base64url').toString('latin1').split(':')
  return Buffer.from(`${tag}:${2 ** 52}`, 'latin1').toString('base64url')
}
