import { describe, expect, test } from 'vitest'
import { pair, pictures, resident } from '../graphs.ts'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

describe('all tasks of a job run in one place', () => {
  test('where the first one was admitted, however idle another place is', () => {
    const { scheduler, version } = resident({ devices: 2 })
    const { task } = scheduler.submitGraph(version, pictures)
    const home = scheduler.task(task.encode).residency!
    scheduler.done(task.encode)
    for (const taskId of [task.denoise1, task.denoise2]) expect(scheduler.task(taskId).residency).toBe(home)
    expect(scheduler.admission(task.denoise1)).toMatchObject({ isHeld: true, inputs: [task.encode] })
  })

  test('a home that is full holds up nobody who can go elsewhere', () => {
    const { scheduler, version } = resident({ devices: 2, batchLimit: 1 })
    const { task } = scheduler.submitGraph(version, { ...pictures, denoise3: { after: ['encode'] } })
    const home = scheduler.task(task.encode).residency!.worker.workerId
    scheduler.done(task.encode)
    const other = [...scheduler.state.workers.keys()].find((workerId) => workerId !== home)!
    const newcomers = [scheduler.submit(version), scheduler.submit(version)]
    expect(scheduler.state.workers.get(home)!.tasks.size).toBe(2)
    expect(scheduler.jobsAt(other)).toEqual(newcomers)
  })

  test('a job that has begun goes before one that came later', () => {
    const { scheduler, version, worker } = resident({ batchLimit: 1 })
    const { task, jobId } = scheduler.submitGraph(version, pictures)
    const [ahead, later] = [scheduler.submit(version), scheduler.submit(version)]
    expect(scheduler.jobsAt(worker)).toEqual([jobId, ahead])
    scheduler.done(task.encode)
    expect(scheduler.jobsAt(worker)).toEqual([ahead, jobId])
    scheduler.finish(ahead)
    expect(scheduler.jobsAt(worker)).toEqual([jobId, jobId])
    expect(scheduler.jobsAt(worker)).not.toContain(later)
  })

  test('a job that waits and has left nothing there goes wherever there is room', () => {
    const { scheduler, version } = resident({ devices: 2, batchLimit: 1 })
    const [first, second] = [scheduler.submit(version), scheduler.submit(version)]
    scheduler.start(first, second)
    scheduler.fail(first, 'engine_error')
    expect(scheduler.state.jobs.get(first)!.home).not.toBeNull()
    expect(scheduler.all('admit')).toHaveLength(3)
  })
})

describe('the home of a job goes', () => {
  test('what still runs there ends there, then the job begins again elsewhere with what was held', () => {
    const { scheduler, version, worker } = resident()
    const { jobId, task } = scheduler.submitGraph(version, pictures)
    scheduler.done(task.encode)
    scheduler.say({ kind: 'started', taskId: task.denoise1 })
    scheduler.feed({ type: 'unloadRequested', versionId: version, deviceId: null })
    scheduler.say({ kind: 'withdrawn', taskId: task.denoise2 })
    expect(scheduler.all('jobRequeued')).toEqual([])
    const ended = scheduler.done(task.denoise1)
    expect(ended).toContainEqual({
      type: 'releaseOutputs',
      workerId: worker,
      taskIds: expect.arrayContaining([task.encode, task.denoise1]),
    })
    expect(ended).toContainEqual(
      expect.objectContaining({ type: 'jobRequeued', jobId, attempt: 2, cause: 'model_unloaded', failedAttempts: 0 }),
    )
    scheduler.serve()
    expect(scheduler.admissions().at(-1)).toMatchObject({ taskId: task.encode, attempt: 2 })
  })

  test('again and again, and the job gains nothing by it: the next home lets it finish', () => {
    const scheduler = new SchedulerUnderTest({ yieldAfterMs: { interactive: 500, batch: 500 } })
    scheduler.device({ limitBytes: 1000 * mib })
    const [mine, others] = [1, 2].map(() => scheduler.version({ weightsBytes: 600 * mib }))
    const { jobId, task } = scheduler.submitGraph(mine!, { ...pair, third: { after: ['second'] } })
    scheduler.serve()
    /** Somebody else wants the memory while the job is half done; then the job wants it back. */
    const takeTurns = () => {
      scheduler.done(task.first)
      scheduler.say({ kind: 'started', taskId: task.second })
      const other = scheduler.submit(others!)
      scheduler.pass(2000)
      const isAsked = scheduler.state.versions.get(mine!)!.residencies[0]!.ending === 'evicted'
      if (!isAsked) return false
      scheduler.done(task.second)
      scheduler.serve()
      scheduler.finish(other)
      // What has just been loaded stays for a moment.
      scheduler.pass(1000)
      scheduler.serve()
      return true
    }
    expect([takeTurns(), takeTurns(), takeTurns()]).toEqual([true, true, false])
    scheduler.done(task.second)
    scheduler.done(task.third)
    expect(scheduler.end(jobId)?.type).toBe('jobSucceeded')
  })

  test('a job that had not begun there waits on, without a word', () => {
    const { scheduler, version } = resident()
    const { jobId, task } = scheduler.submitGraph(version, pair)
    scheduler.feed({ type: 'unloadRequested', versionId: version, deviceId: null })
    scheduler.say({ kind: 'withdrawn', taskId: task.first })
    scheduler.serve()
    expect(scheduler.all('jobRequeued')).toEqual([])
    expect(scheduler.jobsAt(scheduler.workerOf(version))).toEqual([jobId])
  })
})
