import { describe, expect, test } from 'vitest'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

/** A device that holds one of two models; the first is there and always has work. */
function rivals(overtakingLimit: number) {
  const scheduler = new SchedulerUnderTest({
    overtakingLimit,
    yieldAfterMs: { interactive: 100, batch: 100 },
    yieldAfterLoads: { interactive: 1_000_000, batch: 1_000_000 },
    minimumStayLoads: 0,
  })
  scheduler.device({ limitBytes: 500 * mib })
  const [served, waiting] = [1, 2].map(() => scheduler.version({ weightsBytes: 250 * mib, batchLimit: 1 }))
  scheduler.submit(served!)
  scheduler.serve()
  scheduler.pass(1000)
  return { scheduler, served: served!, waiting: waiting! }
}

describe('a job whose model is not there', () => {
  test('is overtaken by so many others at the most, and then its model is loaded next', () => {
    const { scheduler, served, waiting } = rivals(10)
    const job = scheduler.submit(waiting)
    let overtakers = 0
    while (scheduler.all('withdraw').length === 0 && overtakers < 100) {
      scheduler.submit(served)
      scheduler.finish(scheduler.jobsAt(scheduler.workerOf(served))[0]!)
      overtakers += 1
    }
    expect(overtakers).toBeGreaterThanOrEqual(8)
    expect(overtakers).toBeLessThanOrEqual(10)
    const [withdrawal] = scheduler.all('withdraw')
    const withdrawn = withdrawal!.taskIds.map((taskId) => ({ kind: 'withdrawn', taskId }) as const)
    scheduler.report(withdrawal!.workerId, ...withdrawn)
    for (const jobId of scheduler.jobsAt(withdrawal!.workerId)) scheduler.finish(jobId)
    scheduler.serve()
    expect(scheduler.jobsAt(scheduler.workerOf(waiting))).toEqual([job])
  })

  test('waits no longer than its deadline allows', () => {
    const { scheduler, waiting } = rivals(1000)
    scheduler.submit(waiting, { deadlineAt: scheduler.now + 60_000 })
    scheduler.pass(50_000)
    expect(scheduler.all('withdraw').length + scheduler.all('unload').length).toBe(0)
    const before = scheduler.state.versions.get(waiting)!.isOwedRoom
    scheduler.pass(9_500)
    expect([before, scheduler.state.versions.get(waiting)!.isOwedRoom]).toEqual([false, true])
  })

  test('that is for batch work is not overtaken by interactive work: it has limits of its own', () => {
    const { scheduler, served, waiting } = rivals(10)
    scheduler.submit(waiting, { class: 'batch' })
    for (let count = 0; count < 30; count += 1) {
      scheduler.submit(served)
      scheduler.finish(scheduler.jobsAt(scheduler.workerOf(served))[0]!)
    }
    expect(scheduler.all('withdraw')).toEqual([])
  })
})
