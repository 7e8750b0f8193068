/** Subscriptions over both doors: the same log, released when nobody listens, bounded when nobody reads. */
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { encodeCursor } from '../../schema/cursor.ts'
import type { JobRecord } from '../../src/store/records.ts'
import { type Answer, type OpenDoors, openDoors } from '../support/open-doors.ts'
import { RawSocket } from '../support/raw-socket.ts'
import { until } from '../support/until.ts'

interface Stream {
  next(): Promise<IteratorResult<Answer>>
  /** Hangs up without a word. */
  leave(): Promise<void>
}
type Subscribe = (doors: OpenDoors, query: string) => Promise<Stream>

const overWebSocket: Subscribe = async (doors, query) => {
  const client = doors.client()
  const answers = client.iterate({ query }) as AsyncIterableIterator<Answer>
  return {
    next: () => answers.next(),
    leave: async () => client.terminate(),
  }
}

const overPost = async (doors: OpenDoors, query: string, hangUp = new AbortController()): Promise<Stream> => {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
  const response = await fetch(doors.url, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query }),
    signal: hangUp.signal,
  })
  return eventsOf(response, hangUp)
}

/** As EventSource does it. */
const overGet: Subscribe = async (doors, query) => {
  const hangUp = new AbortController()
  const headers = { accept: 'text/event-stream' }
  const response = await fetch(`${doors.url}?${new URLSearchParams({ query }).toString()}`, {
    headers,
    signal: hangUp.signal,
  })
  return eventsOf(response, hangUp)
}

function eventsOf(response: Response, hangUp: AbortController): Stream {
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<IteratorResult<Answer>> => {
    for (;;) {
      const [, event, data] = /event: ?(\w+)\ndata: ?(.*)\n\n/.exec(text) ?? []
      if (event === 'complete') return { done: true, value: undefined }
      if (event === 'next' && data !== undefined) {
        text = text.slice(text.indexOf(data) + data.length)
        return { done: false, value: JSON.parse(data) as Answer }
      }
      const chunk = await reader.read()
      if (chunk.done) throw new Error(`The stream broke off after ${JSON.stringify(text)}.`)
      text += chunk.value
    }
  }
  return { next, leave: async () => hangUp.abort() }
}

async function doorsWithJob(environment: Record<string, string> = {}): Promise<{ doors: OpenDoors; job: JobRecord }> {
  const doors = await openDoors(environment)
  await doors.app.submitJobs(
    [{ model: 'teller', idempotencyKey: 'k', task: { generateText: { prompt: 'Once' } } }],
    'single',
  )
  return { doors, job: doors.app.allJobs[0]! }
}

describe.for([
  ['WebSocket', overWebSocket],
  ['POST and server-sent events', overPost],
  ['GET and server-sent events', overGet],
] as const)('over %s', ([, subscribe]) => {
  test('the log comes as it grows, and ends with the job', async () => {
    const { doors, job } = await doorsWithJob()
    const stream = await subscribe(
      doors,
      'subscription { jobEvents(idempotencyKey: "k") { __typename ... on TextDelta { offset text } } }',
    )
    const seen = [(await stream.next()).value as Answer]
    doors.app.tell(job, ['Once ', 'upon'])
    for (let result = await stream.next(); !result.done; result = await stream.next()) seen.push(result.value)
    expect(seen.map(({ data }) => data?.['jobEvents'])).toEqual([
      { __typename: 'JobQueued' },
      { __typename: 'JobStarted' },
      { __typename: 'TextDelta', offset: 0, text: 'Once ' },
      { __typename: 'TextDelta', offset: 5, text: 'upon' },
      { __typename: 'JobSucceeded' },
    ])
    await until('it is released', () => doors.app.eventTopic.followerCount === 0)
  })

  test('what cannot begin says why, and ends', async () => {
    const stream = await subscribe(await openDoors(), 'subscription { jobEvents(idempotencyKey: "none") { cursor } }')
    expect(await stream.next()).toMatchObject({ value: { errors: [{ extensions: { code: 'NOT_FOUND' } }] } })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  test('a client that goes away while nothing happens is released at once', async () => {
    const { doors } = await doorsWithJob()
    const stream = await subscribe(doors, 'subscription { jobEvents(idempotencyKey: "k") { cursor } }')
    await stream.next()
    expect(doors.app.eventTopic.followerCount).toBe(1)
    await stream.leave()
    await until('it is released', () => doors.app.eventTopic.followerCount === 0)
    expect(doors.log).toEqual([])
  })

  test('a fault in one event is told there; the stream goes on', async () => {
    const { doors, job } = await doorsWithJob()
    const stream = await subscribe(
      doors,
      'subscription { jobEvents(idempotencyKey: "k") { __typename ... on PartialResult { values } ... on JobSucceeded { output { __typename } } } }',
    )
    await stream.next()
    doors.app.say(job, { kind: 'succeeded' }, 'SUCCEEDED')
    const { value } = (await stream.next()) as { value: Answer }
    expect(value.errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }])
    expect(await stream.next()).toMatchObject({ done: true })
    expect(doors.log).toHaveLength(1)
  })
})

describe('a client that goes away while its subscription is being set up leaves nothing behind', () => {
  // Nothing is to be told yet, so that only the leaving itself can wake the stream.
  const query = `subscription { jobEvents(idempotencyKey: "k", after: "${encodeCursor('event', 1)}") { cursor } }`

  test.for([
    ['WebSocket', knockByWebSocket],
    ['server-sent events', knockByPost],
  ] as const)('over %s', async ([, knock]) => {
    const { doors, job } = await doorsWithJob()
    let findIt: (() => void) | null = null
    doors.app.jobByKey = () => new Promise((resolve) => (findIt = () => resolve(job)))
    const leave = await knock(doors, query)
    const found = await until('it is being set up', () => findIt)
    await leave()
    // By the time of this answer the server has seen the client go.
    await doors.askOverHttp('{ server { version } }')
    found()
    await until('it was set up', () => doors.app.eventTopic.followedCount === 1)
    await until('it was released', () => doors.app.eventTopic.followerCount === 0)
  })

  async function knockByWebSocket(doors: OpenDoors, query: string) {
    const raw = await RawSocket.open(doors.webSocketUrl)
    raw.subscribe('1', query)
    return () => {
      raw.socket.terminate()
      return raw.closed
    }
  }

  async function knockByPost(doors: OpenDoors, query: string) {
    const hangUp = new AbortController()
    const asked = overPost(doors, query, hangUp).catch((error: unknown) => error)
    return () => {
      hangUp.abort()
      return asked
    }
  }
})

test('unsubscribing releases, and leaves the socket open', async () => {
  const { doors } = await doorsWithJob()
  const raw = await RawSocket.open(doors.webSocketUrl)
  raw.subscribe('1', 'subscription { jobEvents(idempotencyKey: "k") { cursor } }')
  await raw.next(({ type }) => type === 'next')
  raw.say({ id: '1', type: 'complete' })
  await until('it is released', () => doors.app.eventTopic.followerCount === 0)
  raw.subscribe('1', '{ server { version } }')
  expect(await raw.next(({ type }) => type === 'complete')).toMatchObject({ id: '1' })
})

/** More than every buffer between the log and a reader that does not read. */
const flood = { chunks: 3000, text: 'x'.repeat(10_000) }

describe('a reader that stops reading', () => {
  test('over WebSocket: holds the log back, and then misses nothing', async () => {
    const { doors, job } = await doorsWithJob()
    const raw = await RawSocket.open(doors.webSocketUrl)
    raw.subscribe(
      '1',
      'subscription { jobEvents(idempotencyKey: "k") { __typename ... on TextDelta { offset text } } }',
    )
    await raw.next(({ type }) => type === 'next')
    raw.socket.pause()
    doors.app.tell(
      job,
      Array.from({ length: flood.chunks }, () => flood.text),
    )
    const pulled = await pulledUntilItStops(doors)
    expect(pulled).toBeLessThan(flood.chunks)
    raw.socket.resume()
    await raw.next(({ type }) => type === 'complete')
    expect(textOf(raw.messages.map(({ payload }) => payload as Answer)).length).toBe(flood.chunks * flood.text.length)
  })

  test('over server-sent events: holds the log back, and then misses nothing', async () => {
    const { doors, job } = await doorsWithJob()
    const stream = await overPost(
      doors,
      'subscription { jobEvents(idempotencyKey: "k") { __typename ... on TextDelta { offset text } } }',
    )
    await stream.next()
    doors.app.tell(
      job,
      Array.from({ length: flood.chunks }, () => flood.text),
    )
    const pulled = await pulledUntilItStops(doors)
    expect(pulled).toBeLessThan(flood.chunks)
    const seen: Answer[] = []
    for (let result = await stream.next(); !result.done; result = await stream.next()) seen.push(result.value)
    expect(textOf(seen).length).toBe(flood.chunks * flood.text.length)
  })

  test('is let go when it stays away, over either', async () => {
    const { doors, job } = await doorsWithJob({ HEARTH_KEEP_ALIVE_MS: '100', HEARTH_STALLED_CLIENT_MS: '300' })
    const raw = await RawSocket.open(doors.webSocketUrl)
    raw.subscribe(
      '1',
      'subscription { jobEvents(idempotencyKey: "k") { __typename ... on TextDelta { offset text } } }',
    )
    const stream = await overPost(
      doors,
      'subscription { jobEvents(idempotencyKey: "k") { __typename ... on TextDelta { offset text } } }',
    )
    await Promise.all([raw.next(({ type }) => type === 'next'), stream.next()])
    raw.socket.pause()
    doors.app.tell(
      job,
      Array.from({ length: flood.chunks }, () => flood.text),
    )
    await until('both are released', () => doors.app.eventTopic.followerCount === 0)
    raw.socket.terminate()
  })
})

/** How many events were taken from the log when nothing more is taken. */
async function pulledUntilItStops(doors: OpenDoors): Promise<number> {
  let last = -1
  return until('nothing more is taken', () => {
    const now = doors.app.eventTopic.pulledCount
    const hasStopped = now === last && now > 1
    last = now
    return hasStopped && now
  })
}

function textOf(answers: readonly (Answer | undefined)[]): string {
  let text = ''
  for (const answer of answers) {
    const event = answer?.data?.['jobEvents'] as { offset?: number; text?: string } | undefined
    if (event?.text !== undefined) text = text.slice(0, event.offset) + event.text
  }
  return text
}

describe('closing', () => {
  test('tells WebSocket clients to come back, and breaks event streams off without an end', async () => {
    const { doors } = await doorsWithJob()
    const raw = await RawSocket.open(doors.webSocketUrl)
    raw.subscribe('1', 'subscription { jobEvents(idempotencyKey: "k") { cursor } }')
    const stream = await overPost(doors, 'subscription { jobEvents(idempotencyKey: "k") { cursor } }')
    await Promise.all([raw.next(({ type }) => type === 'next'), stream.next()])
    const rest = expect(stream.next()).rejects.toThrow(/broke off/)
    await doors.close(5000)
    expect(await raw.closed).toEqual({ code: 1001, reason: 'Going away' })
    await rest
    expect(doors.app.eventTopic.followerCount).toBe(0)
    await expect(fetch(doors.url)).rejects.toThrow()
  })

  test('lets a running request end', async () => {
    const { doors } = await doorsWithJob()
    let finish = () => {}
    doors.app.jobRequest = () => new Promise((resolve) => (finish = () => resolve({ late: true })))
    const asked = doors.askOverHttp('{ job(idempotencyKey: "k") { request } }')
    await until('it runs', () => doors.app.reads.key === 1)
    const closing = doors.close(5000)
    finish()
    expect(await asked).toEqual({ data: { job: { request: { late: true } } } })
    await closing
  })

  test('waits no longer than it was told to', async () => {
    const { doors } = await doorsWithJob()
    doors.app.jobRequest = () => new Promise(() => {})
    const asked = doors.askOverHttp('{ job(idempotencyKey: "k") { request } }').catch((error: unknown) => error)
    const stuck = new RawSocket(doors.webSocketUrl)
    await once(stuck.socket, 'open')
    stuck.socket.pause()
    await until('it runs', () => doors.app.reads.key === 1)
    await doors.close(50)
    expect(await asked).toBeInstanceOf(Error)
    stuck.socket.terminate()
  })
})
