import { describe, expect, test } from 'vitest'
import { step } from '../../../../src/scheduler/core.ts'
import type { DeviceId, VersionId } from '../../../../src/scheduler/ids.ts'
import { restore } from '../../../../src/scheduler/snapshot/restore.ts'
import { type Snapshot, snapshot } from '../../../../src/scheduler/snapshot/snapshot.ts'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

function fleet(count: number, limitBytes = 1024 * mib) {
  const scheduler = new SchedulerUnderTest({ exactDevices: 8 })
  const devices = Array.from({ length: count }, () => scheduler.device({ limitBytes }))
  return { scheduler, devices }
}

function whereIs(scheduler: SchedulerUnderTest, versionId: VersionId): DeviceId[] {
  return scheduler.state.versions.get(versionId)!.residencies.map(({ worker }) => worker.slot.device.spec.deviceId)
}

describe('among many devices, of which only some are looked at', () => {
  test('the one that is large enough is found', () => {
    const { scheduler } = fleet(40, 300 * mib)
    const large = scheduler.device({ limitBytes: 8192 * mib })
    const version = scheduler.version({ weightsBytes: 2000 * mib })
    scheduler.submit(version)
    scheduler.serve()
    expect(whereIs(scheduler, version)).toEqual([large])
  })

  test('each model finds a place while there is room', () => {
    const { scheduler } = fleet(30)
    const versions = Array.from({ length: 30 }, () => scheduler.version({ weightsBytes: 500 * mib }))
    for (const versionId of versions) scheduler.submit(versionId)
    scheduler.serve()
    for (const versionId of versions) expect(whereIs(scheduler, versionId)).toHaveLength(1)
  })

  test('a copy of the state draws the same', () => {
    const { scheduler } = fleet(30)
    const versions = Array.from({ length: 10 }, () => scheduler.version({ weightsBytes: 500 * mib }))
    scheduler.serve()
    const written: Snapshot = JSON.parse(JSON.stringify(snapshot(scheduler.state)))
    const copy = restore(written)
    const jobs = versions.map((versionId) => scheduler.spec(versionId))
    const event = { type: 'jobsSubmitted', jobs } as const
    expect(step(copy, event, scheduler.now)).toEqual(scheduler.feed(event))
  })
})
