import { expect, test } from 'vitest'
import { Topic } from '../../../src/app/topic.ts'

test('a reader gets what is published after it began, in order', async () => {
  const topic = new Topic<number>(8)
  topic.publish(0)
  const reader = topic.read()
  topic.publish(1)
  const waiting = reader.next()
  const later = reader.next()
  topic.publish(2)
  expect((await waiting).value).toBe(1)
  expect((await later).value).toBe(2)
})

test('a slow reader skips what has left the ring and costs no memory of its own', async () => {
  const topic = new Topic<number>(4)
  const reader = topic.read()
  for (let value = 0; value < 100; value += 1) topic.publish(value)
  const seen: number[] = []
  for (let count = 0; count < 4; count += 1) seen.push((await reader.next()).value as number)
  expect(seen).toEqual([96, 97, 98, 99])
})

test('a reader that is returned while it waits is released', async () => {
  const topic = new Topic<number>(4)
  const reader = topic.read()
  const waiting = reader.next()
  expect(topic.readers).toBe(1)
  await reader.return?.()
  expect(await waiting).toEqual({ done: true, value: undefined })
  expect(topic.readers).toBe(0)
  expect((await reader.next()).done).toBe(true)
})

test('only wanted values reach a reader, and closing ends it', async () => {
  const topic = new Topic<number>(8)
  const reader = topic.read((value) => value % 2 === 0)
  for (const value of [1, 2, 3, 4]) topic.publish(value)
  topic.close()
  expect(
    [await reader.next(), await reader.next(), await reader.next()].map(({ value, done }) => (done ? 'end' : value)),
  ).toEqual([2, 4, 'end'])
})
