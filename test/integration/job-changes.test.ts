import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { noop, submit, submitAll } from '../support/submissions.ts'
import { subscribe, type Transport, transports } from '../support/subscriptions.ts'

interface JobChange {
  readonly cursor: string
  readonly from: string | null
  readonly to: string
  readonly job: { readonly id: string; readonly state: string }
}
const subscription =
  'subscription ($filter: JobFilter, $after: String) { jobChanges(filter: $filter, after: $after) { cursor at from to job { id state } } }'
const ended = ['SUCCEEDED', 'FAILED', 'CANCELLED']

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

/** All changes up to and with the one that satisfies `last`. */
async function changesUntil(
  transport: Transport,
  variables: { filter?: object; after: string },
  last: (change: JobChange) => boolean,
): Promise<JobChange[]> {
  const seen: JobChange[] = []
  for await (const { data, errors } of subscribe<{ jobChanges: JobChange }>(hearth, transport, {
    query: subscription,
    variables,
  })) {
    if (errors || !data) throw new Error(JSON.stringify(errors))
    seen.push(data.jobChanges)
    if (last(data.jobChanges)) break
  }
  return seen
}
async function page(filter: object): Promise<{ nodes: { id: string; state: string }[]; changesCursor: string }> {
  return (
    await hearth.ask<{ jobs: Awaited<ReturnType<typeof page>> }>(
      'query ($filter: JobFilter) { jobs(first: 100, filter: $filter) { nodes { id state } changesCursor } }',
      { filter },
    )
  ).jobs
}
async function newSession(): Promise<string> {
  const { openSession } = await hearth.ask<{ openSession: { session: { id: string } } }>(
    'mutation { openSession(input: {}) { ... on OpenSessionSuccess { session { id } } } }',
  )
  return openSession.session.id
}

describe.each(transports)('over %s', (transport) => {
  test('between a page and the stream after it no change is lost', async () => {
    const sessionId = await newSession()
    const jobs = Array.from({ length: 30 }, (_, index) => noop({ steps: index, stepMs: 5 }, { sessionId }))
    await submitAll(hearth, jobs)
    const { nodes, changesCursor } = await page({ sessionId })
    const later = await submitAll(hearth, jobs.slice(0, 10))
    const open = new Set([...nodes.filter(({ state }) => !ended.includes(state)).map(({ id }) => id), ...later])
    const changes = await changesUntil(transport, { filter: { sessionId }, after: changesCursor }, ({ job, to }) => {
      if (ended.includes(to)) open.delete(job.id)
      return open.size === 0
    })
    const shown = new Map(nodes.map(({ id, state }) => [id, state]))
    for (const id of [...shown.keys(), ...later]) {
      const own = changes.filter(({ job }) => job.id === id)
      // What the page showed may be repeated, for it was read after the cursor was taken; a change between the two may not be missing.
      const states = own.length > 0 ? [own[0]!.from, ...own.map(({ to }) => to)] : [shown.get(id)!]
      expect(own.slice(1).map(({ from }) => from)).toEqual(own.slice(0, -1).map(({ to }) => to))
      if (shown.has(id)) expect(states).toContain(shown.get(id))
      else expect(states.slice(0, 2)).toEqual([null, 'QUEUED'])
      expect(states.at(-1)).toBe('SUCCEEDED')
    }
  })

  test('after any cursor comes the rest, in the same order', async () => {
    const sessionId = await newSession()
    const { changesCursor } = await page({ sessionId })
    const ids = await submitAll(
      hearth,
      [1, 2, 3].map((value) => noop({ value }, { sessionId })),
    )
    for (const id of ids) await watch(hearth, id).final()
    const open = new Set(ids)
    const whole = await changesUntil(
      transport,
      { filter: { sessionId }, after: changesCursor },
      ({ job, to }) => ended.includes(to) && open.delete(job.id) && open.size === 0,
    )
    const last = whole.at(-1)!.cursor
    for (const [index, { cursor }] of whole.slice(0, -1).entries()) {
      const rest = await changesUntil(
        transport,
        { filter: { sessionId }, after: cursor },
        (change) => change.cursor === last,
      )
      expect(rest).toEqual(whole.slice(index + 1))
    }
  })
})

test('a filter by state shows what comes into it and what leaves it', async () => {
  const sessionId = await newSession()
  const { changesCursor } = await page({ sessionId })
  await submit(hearth, noop({ steps: 2 }, { sessionId }))
  const changes = await changesUntil(
    'WebSocket',
    { filter: { sessionId, states: ['RUNNING'] }, after: changesCursor },
    ({ from }) => from === 'RUNNING',
  )
  expect(changes.map(({ from, to }) => [from, to])).toEqual([
    [expect.stringMatching(/QUEUED|LOADING/) as string, 'RUNNING'],
    ['RUNNING', 'SUCCEEDED'],
  ])
})

test('changes of other jobs than those asked for are not shown', async () => {
  const sessionId = await newSession()
  const { changesCursor } = await page({})
  await submitAll(
    hearth,
    Array.from({ length: 10 }, () => noop()),
  )
  const mine = await submit(hearth, noop({}, { sessionId, priorityClass: 'BATCH' }))
  for (const filter of [{ sessionId }, { priorityClass: 'BATCH' }]) {
    const changes = await changesUntil('WebSocket', { filter, after: changesCursor }, ({ to }) => ended.includes(to))
    expect(new Set(changes.map(({ job }) => job.id))).toEqual(new Set([mine]))
  }
})

test('without a cursor the stream begins now', async () => {
  await watch(hearth, await submit(hearth, noop())).final()
  const [first] = await Promise.all([
    (async () => {
      for await (const { data } of subscribe<{ jobChanges: JobChange }>(hearth, 'WebSocket', { query: subscription }))
        return data?.jobChanges
      return null
    })(),
    (async () => {
      // Submissions go on until one of them comes after the subscription stands.
      for (let index = 0; index < 20; index++) await watch(hearth, await submit(hearth, noop({ value: index }))).final()
    })(),
  ])
  expect(first).toMatchObject({ cursor: expect.any(String) as string })
})

test('an unknown cursor and an unknown filter are refused with a code', async () => {
  for (const variables of [{ after: 'nonsense' }, { filter: { sessionId: 'nonsense' } }]) {
    const answers = []
    for await (const answer of subscribe(hearth, 'WebSocket', { query: subscription, variables })) answers.push(answer)
    expect(answers.map(({ errors }) => errors?.[0]?.extensions?.['code'])).toEqual([
      expect.stringMatching(/BAD_USER_INPUT|NOT_FOUND/),
    ])
  }
})
