import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { JobEvent } from '../../../src/store/records.ts'
import type { Primitive } from '../../../src/store/writer/message-values.ts'
import { type Write, WriteQueue } from '../../../src/store/writer/write-queue.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A queue whose batches collect in `sent`. */
function queue() {
  const sent: (readonly Primitive[])[] = []
  const heard: JobEvent[] = []
  const writes = new WriteQueue(
    (values) => sent.push(values),
    (events) => heard.push(...events),
  )
  return { sent, heard, writes }
}

const write = (value: string, details: Partial<Write> = {}): Write => ({
  operation: 'saveSnapshot',
  write: (values) => void values.push(value),
  rows: 1,
  bytes: 100,
  urgent: true,
  ...details,
})
const textsOf = (batches: readonly (readonly Primitive[])[]) =>
  batches.map((values) => values.filter((value) => typeof value === 'string').join(''))

test('everything of a tick becomes one batch, in order', () => {
  const { sent, writes } = queue()
  for (const value of ['a', 'b', 'c']) void writes.add(write(value))
  expect(sent).toEqual([])
  vi.advanceTimersToNextTimer()
  expect(textsOf(sent)).toEqual(['abc'])
})

test('while a batch is being committed, the next one collects', () => {
  const { sent, writes } = queue()
  void writes.add(write('a'))
  vi.runAllTimers()
  void writes.add(write('b'))
  vi.runAllTimers()
  void writes.add(write('c'))
  vi.runAllTimers()
  expect(textsOf(sent)).toEqual(['a'])
  writes.committed(null)
  vi.runAllTimers()
  expect(textsOf(sent)).toEqual(['a', 'bc'])
})

test('what is not urgent waits 50 ms for company, and rides along with what is', () => {
  const { sent, writes } = queue()
  void writes.add(write('lazy', { urgent: false }))
  vi.advanceTimersByTime(49)
  expect(sent).toEqual([])
  vi.advanceTimersByTime(2)
  expect(textsOf(sent)).toEqual(['lazy'])
  writes.committed(null)
  void writes.add(write('lazy ', { urgent: false }))
  void writes.add(write('urgent'))
  vi.advanceTimersToNextTimer()
  expect(textsOf(sent)).toEqual(['lazy', 'lazy urgent'])
})

test('a commit does not hurry what is not urgent', () => {
  const { sent, writes } = queue()
  void writes.add(write('a'))
  vi.advanceTimersToNextTimer()
  void writes.add(write('lazy', { urgent: false }))
  writes.committed(null)
  vi.advanceTimersByTime(40)
  expect(textsOf(sent)).toEqual(['a'])
})

test('a batch is closed at 2000 rows or 4 MiB', () => {
  const { sent, writes } = queue()
  void writes.add(write('many', { rows: 2000 }))
  void writes.add(write('large', { bytes: 5_000_000 }))
  void writes.add(write('last'))
  for (let commits = 0; commits < 3; commits++) {
    vi.runAllTimers()
    writes.committed(null)
  }
  expect(textsOf(sent)).toEqual(['many', 'large', 'last'])
})

test('one failed operation rejects alone; the events of the others are told before their promises resolve', async () => {
  const { heard, writes } = queue()
  const event = (sequence: number) => ({ sequence }) as JobEvent
  const first = writes.add<string>(write('a', { events: () => [event(1)] }))
  const second = writes.add(write('b', { events: () => [event(2)] }))
  const third = writes.add(write('c', { events: () => [event(3)] })).then(() => heard.length)
  vi.runAllTimers()
  writes.committed({ results: [[0, 'result']], failures: [[1, 'no such job']] })
  await expect(first).resolves.toBe('result')
  await expect(second).rejects.toThrow('no such job')
  await expect(third).resolves.toBe(2)
  expect(heard).toEqual([event(1), event(3)])
  expect(writes.rows).toBe(0)
})

test('what cannot be encoded is refused at once and leaves the batch whole', () => {
  const { sent, writes } = queue()
  void writes.add(write('a'))
  const broken = write('', {
    write: (values) => {
      values.push('half')
      throw new Error('not encodable')
    },
  })
  expect(() => writes.add(broken)).toThrow('not encodable')
  void writes.add(write('b'))
  vi.runAllTimers()
  expect(textsOf(sent)).toEqual(['ab'])
})

test('when the writer is gone, everything that waited is told so', async () => {
  const { writes } = queue()
  const sent = writes.add(write('a'))
  vi.runAllTimers()
  const waiting = writes.add(write('b'))
  writes.fail(new Error('the thread died'))
  await expect(sent).rejects.toThrow('the thread died')
  await expect(waiting).rejects.toThrow('the thread died')
  await expect(writes.add(write('c'))).rejects.toThrow('closed')
})
