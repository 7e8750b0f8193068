import { expect, test } from 'vitest'
import { openState } from '../../../src/app/snapshots.ts'
import { readConfig } from '../../../src/config/config.ts'
import type { DeviceId, VersionId } from '../../../src/scheduler/ids.ts'
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
