import { expect, test } from 'vitest'
import { Allocations } from '../../../src/app/allocations.ts'
import { HistoryKeeper } from '../../../src/app/history.ts'
import { createState } from '../../../src/scheduler/core.ts'
import { defaultSettings } from '../../../src/scheduler/settings.ts'
import { type History, type Store, StoreOverloaded } from '../../../src/store/store.ts'
import { weightsAllocation } from '../../support/allocation.ts'

/** A keeper of three decisions and a closed allocation, before a store that answers with `error` as long as there is one. */
function keeping() {
  const state = createState(defaultSettings, 1)
  const written: History[] = []
  const trouble: { error: Error | null } = { error: null }
  const store = {
    metrics: { accepting: true, queuedOperations: 0 },
    recordHistory: async (history: History) => {
      if (trouble.error) throw trouble.error
      written.push(history)
    },
  } as unknown as Store
  const allocations = new Allocations(store)
  const keeper = new HistoryKeeper(state, allocations, store)
  for (let count = 0; count < 3; count += 1) state.decisions.record(count, { kind: 'LOAD', reason: 'jobs_wait' })
  const allocation = weightsAllocation({ state: 'released', predictedBytes: 1, sizeBytes: 0, measuredBytes: 1 })
  allocations.changed(allocation, 5)
  return { keeper, written, trouble }
}

test('what the store had no time for comes again, whole', async () => {
  const { keeper, written, trouble } = keeping()
  trouble.error = new StoreOverloaded('write_queue', 100, 'full')
  await expect(keeper.keep()).rejects.toThrow('full')
  trouble.error = null
  await keeper.keep()
  expect(written.map(({ decisions, allocations }) => [decisions.length, allocations.length])).toEqual([[3, 1]])
  expect(keeper.figures).toEqual({ decisionsDropped: 0, allocationsDropped: 0 })
})

test('a lot that the database refuses is left out and counted, and what comes after it is written', async () => {
  const { keeper, written, trouble } = keeping()
  trouble.error = new Error('The database refused a recordHistory.')
  await expect(keeper.keep()).rejects.toThrow('refused')
  trouble.error = null
  await keeper.keep()
  expect(written).toEqual([])
  expect(keeper.figures).toEqual({ decisionsDropped: 3, allocationsDropped: 1 })
})

test('the last lot does not overtake one that is on its way', async () => {
  const { keeper, written } = keeping()
  await Promise.all([keeper.keep(), keeper.keepLast()])
  expect(written.map(({ decisions }) => decisions.length)).toEqual([3])
})
