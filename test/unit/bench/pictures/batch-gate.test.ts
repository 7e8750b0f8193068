import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { BatchGate } from '../../../../bench/pictures/batch-gate.ts'

/** Work that says when it has begun, and ends when it is told to. */
class Works {
  readonly begun: string[] = []
  readonly #ends = new Map<string, PromiseWithResolvers<void>>()

  through(gate: BatchGate, name: string): Promise<string> {
    const end = Promise.withResolvers<void>()
    this.#ends.set(name, end)
    return gate.pass(async () => {
      this.begun.push(name)
      await end.promise
      return name
    })
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.resolve()
    await turn()
  }

  async fail(name: string): Promise<void> {
    this.#ends.get(name)?.reject(new Error(`${name} failed`))
    await turn()
  }
}

test('nobody joins a batch that has begun, and the next takes all who wait, up to its size', async () => {
  const gate = new BatchGate(2)
  const works = new Works()
  const all = ['a', 'b', 'c', 'd'].map((name) => works.through(gate, name))
  await turn()
  expect(works.begun).toEqual(['a'])
  await works.end('a')
  expect(works.begun).toEqual(['a', 'b', 'c'])
  await works.end('c')
  expect(works.begun).toEqual(['a', 'b', 'c'])
  await works.end('b')
  expect(works.begun).toEqual(['a', 'b', 'c', 'd'])
  await works.end('d')
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd'])
})

test('work that fails tells who asked, and lets the next in', async () => {
  const gate = new BatchGate(1)
  const works = new Works()
  const failing = works.through(gate, 'a')
  const next = works.through(gate, 'b')
  const told = expect(failing).rejects.toThrow('a failed')
  await works.fail('a')
  await told
  await works.end('b')
  expect(await next).toBe('b')
})
