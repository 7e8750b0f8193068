import { expect, test } from 'vitest'
import { openState, settingsOf } from '../../../src/app/snapshots.ts'
import { evictions, readConfig, routings } from '../../../src/config/config.ts'
import { evictionNames } from '../../../src/scheduler/eviction/policies/policies.ts'
import type { DeviceId, VersionId } from '../../../src/scheduler/ids.ts'
import { defaultSettings, routingNames } from '../../../src/scheduler/settings.ts'
import type { Opening } from '../../../src/store/store.ts'

const open = (snapshot: string | null) =>
  openState({ snapshot, firstRuntimeId: 7 } as Partial<Opening> as Opening, readConfig({}), 1000)

test.each([null, '{}', 'null', '{"scheduler": {}}', '{"scheduler": {"format": 1, "devices": 3}}', '{"sched'])(
  'a server that finds the snapshot %s starts without experience',
  (snapshot) => {
    const { state, wanted } = open(snapshot)
    expect([state.jobs.size, state.learnt.size, wanted.all()]).toEqual([0, 0, []])
  },
)

test('what was asked for stays, whatever has become of the rest', () => {
  const asked = [{ versionId: 3 as VersionId, deviceId: 1 as DeviceId }]
  const { wanted, pins } = open(JSON.stringify({ scheduler: { format: 0 }, wanted: asked, pins: asked }))
  expect([wanted.all(), pins.all()]).toEqual([asked, asked])
})

test('every policy can be chosen by its name', () => {
  expect(routings).toEqual(routingNames)
  expect(evictions).toEqual(evictionNames)
  const settings = settingsOf(
    readConfig({
      HEARTH_ROUTING: 'wrr',
      HEARTH_EVICTION: 'gdsf',
      HEARTH_QUEUE_ORDER: 'arrival',
      HEARTH_BATCHING: 'fixed',
    }),
  )
  expect(settings).toMatchObject({
    routing: 'wrr',
    eviction: 'gdsf',
    queueOrder: 'arrival',
    batching: { isLearnt: false },
  })
})

test('a server without settings has those of the scheduler', () => {
  expect(settingsOf(readConfig({}))).toEqual(defaultSettings)
})

test.each([
  ['0.01', '0.02'],
  ['0.5', '0.51'],
  ['0.99', '1'],
])('levels of pressure that begin at %s and %s end below that', (tight, critical) => {
  const { pressure } = settingsOf(readConfig({ HEARTH_PRESSURE_TIGHT: tight, HEARTH_PRESSURE_CRITICAL: critical }))
  expect(pressure.tightEndShare).toBeGreaterThan(0)
  expect(pressure.tightEndShare).toBeLessThan(pressure.tightShare)
  expect(pressure.criticalEndShare).toBeGreaterThan(0)
  expect(pressure.criticalEndShare).toBeLessThan(pressure.criticalShare)
})
