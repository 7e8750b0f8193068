import { describe, expect, test } from 'vitest'
import { ledgerOf } from '../../../../src/scheduler/memory/ledger.ts'
import { mib, runtimeBytes, SchedulerUnderTest } from '../scheduler-under-test.ts'

function loading() {
  const scheduler = new SchedulerUnderTest()
  const device = scheduler.device({ limitBytes: 1000 * mib })
  const version = scheduler.version()
  scheduler.ready(scheduler.all('spawnWorker')[0]!.workerId)
  scheduler.submit(version)
  return { scheduler, device, version, worker: scheduler.workerOf(version) }
}

describe('the ledger of a device', () => {
  test('a load is reserved before it begins, and committed as measured', () => {
    const { scheduler, device, version, worker } = loading()
    expect(ledgerOf(scheduler.state, device)).toMatchObject({ allocatedBytes: runtimeBytes, reservedBytes: 120 * mib })
    scheduler.feed({
      type: 'modelLoaded',
      workerId: worker,
      versionId: version,
      loadMs: 1,
      weightsBytes: 90 * mib,
      privateBytes: 30 * mib,
    })
    expect(ledgerOf(scheduler.state, device)).toEqual({
      limitBytes: 1000 * mib,
      allocatedBytes: runtimeBytes + 120 * mib,
      reservedBytes: 0,
      externalBytes: 0,
      availableBytes: 1000 * mib - runtimeBytes - 120 * mib,
    })
  })

  test('a plan is not undercut by a measurement taken before the memory was touched', () => {
    const { scheduler, device, version, worker } = loading()
    scheduler.feed({
      type: 'modelLoaded',
      workerId: worker,
      versionId: version,
      loadMs: 1,
      weightsBytes: 100 * mib,
      privateBytes: 1 * mib,
    })
    expect(ledgerOf(scheduler.state, device).allocatedBytes).toBe(runtimeBytes + 120 * mib)
  })

  test('each row is told as it changes', () => {
    const { scheduler, version, worker } = loading()
    scheduler.loaded(worker, version)
    const rows = scheduler.all('allocationChanged').map(({ allocation }) => `${allocation.purpose} ${allocation.state}`)
    expect(rows).toEqual([
      'runtime reserved',
      'runtime committed',
      'weights reserved',
      'kv_cache reserved',
      'weights committed',
      'kv_cache committed',
    ])
  })

  test('what a worker uses beyond the plans of its models is charged to the process', () => {
    const { scheduler, device, version, worker } = loading()
    scheduler.loaded(worker, version)
    scheduler.feed({ type: 'workerMeasured', workerId: worker, privateBytes: 170 * mib })
    expect(ledgerOf(scheduler.state, device).allocatedBytes).toBe(270 * mib)
    scheduler.feed({ type: 'workerMeasured', workerId: worker, privateBytes: 30 * mib })
    expect(ledgerOf(scheduler.state, device).allocatedBytes).toBe(runtimeBytes + 120 * mib)
  })

  test('small changes are not worth a row', () => {
    const { scheduler, worker } = loading()
    expect(
      scheduler.feed({ type: 'workerMeasured', workerId: worker, privateBytes: runtimeBytes + 20 * mib + 1000 }),
    ).toEqual([])
  })

  test('memory that others use is not available', () => {
    const { scheduler, device } = loading()
    const before = ledgerOf(scheduler.state, device).availableBytes
    scheduler.feed({ type: 'deviceMeasured', deviceId: device, externalBytes: 100 * mib, stallShare: 0 })
    expect(ledgerOf(scheduler.state, device)).toMatchObject({
      availableBytes: before - 100 * mib,
      externalBytes: 100 * mib,
    })
  })

  test('the death of a worker gives back all that it held', () => {
    const { scheduler, device, version, worker } = loading()
    scheduler.loaded(worker, version)
    scheduler.feed({ type: 'drainRequested' })
    scheduler.kill(worker)
    expect(ledgerOf(scheduler.state, device)).toMatchObject({ allocatedBytes: 0, reservedBytes: 0 })
  })

  test('the next load of a version is planned as the last one was measured', () => {
    const { scheduler, version, worker } = loading()
    scheduler.feed({
      type: 'modelLoaded',
      workerId: worker,
      versionId: version,
      loadMs: 1,
      weightsBytes: 130 * mib,
      privateBytes: 40 * mib,
    })
    scheduler.kill(worker)
    scheduler.ready(scheduler.all('spawnWorker').at(-1)!.workerId)
    const reserved = scheduler.all('allocationChanged').slice(-2)
    expect(reserved.map(({ allocation }) => allocation.predictedBytes)).toEqual([130 * mib, 40 * mib])
  })
})
