import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDevice } from '../../src/scheduler/blank.ts'
import { createState } from '../../src/scheduler/core.ts'
import type { DeviceId, WorkerId } from '../../src/scheduler/ids.ts'
import { availableBytes, commit, ledgerOf, release, reserve } from '../../src/scheduler/memory/ledger.ts'
import { defaultSettings } from '../../src/scheduler/settings.ts'
import type { LiveAllocation } from '../../src/scheduler/state.ts'
import { beginTurn } from '../../src/scheduler/turn.ts'

const deviceId = 1 as DeviceId
const act = fc.record({
  what: fc.constantFrom('reserve', 'reserve', 'commit', 'release', 'external'),
  bytes: fc.integer({ min: 0, max: 700 }),
  purpose: fc.constantFrom('weights', 'kv_cache', 'runtime'),
  at: fc.nat(),
})

test('the books are right after any sequence of reservations, commitments and releases, and nothing is promised that is not there', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const state = createState(defaultSettings, 1)
      const device = createDevice({ deviceId, name: 'cpu', limitBytes: 1000, coreCount: 1, workerThreads: 1 })
      state.devices.set(deviceId, device)
      const turn = beginTurn(state, 0)
      const open: LiveAllocation[] = []
      for (const { what, bytes, purpose, at } of acts) {
        const chosen = open[at % Math.max(1, open.length)]
        if (what === 'reserve') {
          const before = availableBytes(device)
          const attempt = () => reserve(turn, device, purpose, bytes, { workerId: 1 as WorkerId, residencyId: null })
          if (bytes > before) expect(attempt).toThrow('cannot be reserved')
          else open.push(attempt())
        } else if (what === 'commit' && chosen) {
          commit(turn, chosen, bytes)
        } else if (what === 'release' && chosen) {
          release(turn, chosen)
          open.splice(open.indexOf(chosen), 1)
        } else if (what === 'external') {
          device.externalBytes = bytes
        }
        const sum = (of: LiveAllocation['state']) =>
          open.filter((one) => one.state === of).reduce((all, { sizeBytes }) => all + sizeBytes, 0)
        const {
          limitBytes,
          allocatedBytes,
          reservedBytes,
          externalBytes,
          availableBytes: free,
        } = ledgerOf(state, deviceId)
        expect([allocatedBytes, reservedBytes]).toEqual([sum('committed'), sum('reserved')])
        expect(free).toBe(limitBytes - allocatedBytes - reservedBytes - externalBytes)
        const weights = open
          .filter((one) => one.purpose === 'weights')
          .reduce((all, { sizeBytes }) => all + sizeBytes, 0)
        expect(device.weightsBytes).toBe(weights)
        expect(state.allocations.size).toBe(open.length)
      }
      for (const allocation of open) release(turn, allocation)
      expect(ledgerOf(state, deviceId)).toMatchObject({ allocatedBytes: 0, reservedBytes: 0 })
    }),
  )
})
