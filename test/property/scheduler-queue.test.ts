import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Heap } from '../../src/scheduler/queues/heap.ts'
import { OrderedQueue } from '../../src/scheduler/queues/ordered-queue.ts'

interface Item {
  readonly order: number
  readonly arrival: number
}
/** Few orders and many operations, so that chunks split and empty; appends run ahead, as submissions do. */
const operations = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ what: fc.constant('append' as const), count: fc.integer({ min: 1, max: 300 }) }),
    },
    { weight: 3, arbitrary: fc.record({ what: fc.constant('return' as const), at: fc.nat() }) },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constant('remove' as const),
        at: fc.nat(),
        count: fc.integer({ min: 1, max: 200 }),
      }),
    },
  ),
  { maxLength: 40 },
)

describe('the ordered queue', () => {
  test('is a sorted list, whatever comes, returns and leaves', () => {
    fc.assert(
      fc.property(operations, (all) => {
        const queue = new OrderedQueue<Item>()
        let model: Item[] = []
        const removed: Item[] = []
        let arrival = 0
        for (const operation of all) {
          if (operation.what === 'append') {
            for (let count = 0; count < operation.count; count += 1) {
              arrival += 1
              // Some share an order: then who came first is first.
              const item = { order: Math.ceil(arrival / 3), arrival }
              queue.add(item)
              model.push(item)
            }
          } else if (operation.what === 'return') {
            const [item] = removed.splice(operation.at % Math.max(1, removed.length), 1)
            if (!item) continue
            queue.add(item)
            model = [...model, item].sort((a, b) => a.order - b.order || a.arrival - b.arrival)
          } else {
            const at = operation.at % Math.max(1, model.length)
            const leaving = model.splice(at, operation.count)
            for (const item of leaving) expect(queue.remove(item)).toBe(true)
            removed.push(...leaving)
          }
        }
        expect([...queue]).toEqual(model)
        expect(queue.size).toBe(model.length)
        expect(queue.first()).toBe(model[0])
        expect(queue.last()).toBe(model.at(-1))
        expect(queue.take(700)).toEqual(model.slice(0, 700))
        for (const index of [0, Math.floor(model.length / 2), model.length - 1]) {
          const item = model[index]
          if (item) expect(queue.rank(item)).toBe(index)
        }
        for (const item of removed.slice(0, 50)) {
          expect(queue.has(item)).toBe(false)
          expect(queue.remove(item)).toBe(false)
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('the heap', () => {
  test('gives the least first, also when others leave from the middle', () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 200 })
    fc.assert(
      fc.property(numbers, fc.array(fc.nat(), { maxLength: 50 }), (values, leaving) => {
        const items = values.map((value) => ({ value, slot: -1 }))
        const heap = new Heap<(typeof items)[number]>(
          (a, b) => a.value < b.value,
          (item, slot) => {
            item.slot = slot
          },
        )
        for (const item of items) heap.add(item)
        for (const index of leaving) {
          const item = items[index % Math.max(1, items.length)]
          if (item && item.slot >= 0) heap.removeAt(item.slot)
        }
        const left = items.filter(({ slot }) => slot >= 0).map(({ value }) => value)
        const taken = Array.from({ length: heap.size }, () => heap.takeFirst()!.value)
        expect(taken).toEqual(left.sort((a, b) => a - b))
        expect(items.every(({ slot }) => slot === -1)).toBe(true)
      }),
    )
  })
})
