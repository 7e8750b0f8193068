import fc from 'fast-check'
import { expect, test } from 'vitest'
import { circle, dependencyOrder } from '../../../../src/runtime/models/dependency-order.ts'

const list = (needs: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(needs).map(([name, wanted]) => ({ name, needs: wanted }))

test('what needs nothing stays as it is given', () => {
  expect(dependencyOrder([])).toEqual({ order: [] })
  expect(dependencyOrder(list({ b: [], a: [], c: [] }))).toEqual({ order: [0, 1, 2] })
})

test('what is needed comes first, once, however many need it', () => {
  expect(dependencyOrder(list({ top: ['left', 'right'], left: ['base'], right: ['base'], base: [] }))).toEqual({
    order: [3, 1, 2, 0],
  })
})

test.each<[string, Readonly<Record<string, readonly string[]>>, string]>([
  ['one that needs itself', { a: ['a'] }, 'a -> a'],
  ['two', { a: ['b'], b: ['a'] }, 'a -> b -> a'],
  ['a circle behind a chain, without the chain', { start: ['a'], a: ['b'], b: ['c'], c: ['a'] }, 'a -> b -> c -> a'],
])('a circle is named: %s', (_, needs, words) => {
  const found = dependencyOrder(list(needs))
  expect('cycle' in found && circle(found.cycle)).toBe(words)
})

test('whatever the graph: an order in which all comes after what it needs, or a circle that is one', () => {
  const graphs = fc
    .array(fc.array(fc.nat(7), { maxLength: 4 }), { maxLength: 8 })
    .map((needs) => needs.map((wanted, place) => ({ name: String(place), needs: wanted.map(String) })))
  fc.assert(
    fc.property(graphs, (graph) => {
      const found = dependencyOrder(graph)
      if ('cycle' in found) {
        const next = (index: number) => found.cycle[(index + 1) % found.cycle.length]
        return found.cycle.every((name, index) => graph[Number(name)]?.needs.includes(next(index) ?? ''))
      }
      const rank = new Map(found.order.map((place, index) => [String(place), index]))
      const isAfter = (name: string, need: string) => (rank.get(need) ?? -1) < (rank.get(name) ?? -1)
      return rank.size === graph.length && graph.every(({ name, needs }) => needs.every((need) => isAfter(name, need)))
    }),
  )
})
