import { describe, expect, test } from 'vitest'
import type { JobId } from '../../../../src/scheduler/ids.ts'
import { restore } from '../../../../src/scheduler/snapshot/restore.ts'
import { type Snapshot, snapshot } from '../../../../src/scheduler/snapshot/snapshot.ts'
import { resident } from '../graphs.ts'
import { mib, type SchedulerUnderTest } from '../scheduler-under-test.ts'

/** What a job was requeued with, oldest first. */
function remedies(scheduler: SchedulerUnderTest, job: JobId): (string | undefined)[] {
  return scheduler.all('jobRequeued').flatMap(({ jobId, remedy }) => (jobId === job ? [remedy] : []))
}

describe('a job that does not fit into memory alone', () => {
  test('waits ever longer where nothing else can be done, and fails in the end; only the last time is its failed attempt', () => {
    const { scheduler, version } = resident({ settings: { memoryPausesMs: [100, 1000] } })
    const job = scheduler.submit(version)
    scheduler.fail(job, 'out_of_memory')
    expect(scheduler.stateOf(job)).toBe('queued')
    scheduler.pass(99)
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toEqual([])
    scheduler.pass(2)
    scheduler.fail(job, 'out_of_memory')
    scheduler.pass(1001)
    scheduler.fail(job, 'out_of_memory')
    expect(scheduler.end(job)).toMatchObject({ type: 'jobFailed', code: 'OUT_OF_MEMORY', retryable: true })
    expect(remedies(scheduler, job)).toEqual(['postponed', 'postponed'])
    expect(scheduler.all('jobRequeued').every(({ failedAttempts }) => failedAttempts === 0)).toBe(true)
  })

  test('has a model evicted that nobody uses', () => {
    const { scheduler, version } = resident()
    const other = scheduler.version()
    const idle = scheduler.submit(other)
    scheduler.serve()
    scheduler.finish(idle)
    const job = scheduler.submit(version)
    scheduler.fail(job, 'out_of_memory')
    expect(scheduler.all('unload').at(-1)).toMatchObject({ versionId: other })
    expect(remedies(scheduler, job)).toEqual(['evicted'])
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toEqual([job])
  })

  test('has paused work leave its worker, if that can go on from a checkpoint', () => {
    const { scheduler, version, worker } = resident({ batchLimit: 4 })
    const [saved, unsaved] = [scheduler.submit(version), scheduler.submit(version)]
    const taskOf = (job: JobId) => scheduler.state.jobs.get(job)!.tasks[0]!.taskId
    scheduler.start(saved, unsaved)
    scheduler.save(taskOf(saved), 3)
    for (const job of [saved, unsaved]) {
      scheduler.pause(job)
      scheduler.say({ kind: 'paused', taskId: taskOf(job), stateBytes: mib })
    }
    const job = scheduler.submit(version)
    const commands = scheduler.fail(job, 'out_of_memory')
    expect(commands.find(({ type }) => type === 'cancelTasks')).toMatchObject({
      workerId: worker,
      taskIds: [taskOf(saved)],
    })
    expect(remedies(scheduler, job)).toEqual(['offloaded'])
  })

  test('goes to another device, and not back for a while', () => {
    const { scheduler, version, worker } = resident()
    const other = scheduler.device()
    const job = scheduler.submit(version)
    scheduler.fail(job, 'out_of_memory')
    expect(remedies(scheduler, job)).toEqual(['moved'])
    expect(scheduler.jobsAt(worker)).toEqual([])
    const next = scheduler.submit(version)
    expect(scheduler.jobsAt(worker)).toEqual([next])
    scheduler.serve()
    const { residency } = scheduler.state.jobs.get(job)!.tasks[0]!
    expect(residency?.worker.slot.device.spec.deviceId).toBe(other)
  })

  test('may run anywhere again when the other device does not come', () => {
    const { scheduler, version, worker } = resident()
    scheduler.device()
    const job = scheduler.submit(version)
    scheduler.fail(job, 'out_of_memory')
    scheduler.pass(30_001)
    expect(scheduler.jobsAt(worker)).toEqual([job])
  })

  test('has its worker replaced, if that has grown far beyond its models', () => {
    const { scheduler, version, worker } = resident()
    scheduler.feed({ type: 'workerMeasured', workerId: worker, privateBytes: 900 * mib })
    const job = scheduler.submit(version)
    scheduler.fail(job, 'out_of_memory')
    expect(remedies(scheduler, job)).toEqual(['recycled'])
    expect(scheduler.state.recycling.size).toBe(1)
  })

  test('is remembered in a snapshot', () => {
    const { scheduler, version, worker } = resident({ settings: { memoryPausesMs: [100, 1000] } })
    const job = scheduler.submit(version)
    scheduler.fail(job, 'out_of_memory')
    const copy: Snapshot = JSON.parse(JSON.stringify(snapshot(scheduler.state)))
    scheduler.state = restore(copy)
    scheduler.pass(101)
    expect(scheduler.jobsAt(worker)).toEqual([job])
  })
})
