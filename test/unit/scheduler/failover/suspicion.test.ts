import { expect, test } from 'vitest'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

function suspected() {
  const scheduler = new SchedulerUnderTest()
  scheduler.device()
  const version = scheduler.version({ batchLimit: 2 })
  scheduler.feed({ type: 'loadRequested', versionId: version, deviceId: null })
  scheduler.serve()
  const first = scheduler.submit(version)
  const worker = scheduler.workerOf(version)
  scheduler.start(first)
  scheduler.feed({ type: 'workerSuspected', workerId: worker })
  return { scheduler, version, worker, first }
}

test('a worker that does not answer is given nothing more, and keeps what it has', () => {
  const { scheduler, version, worker, first } = suspected()
  const second = scheduler.submit(version)
  expect(scheduler.jobsAt(worker)).toEqual([first])
  expect(scheduler.stateOf(first)).toBe('running')
  expect(scheduler.stateOf(second)).toBe('queued')
  expect(scheduler.wait(second).reason).toContain('does not answer')
})

test('once it answers it takes part again, as if nothing had been', () => {
  const { scheduler, version, worker, first } = suspected()
  const second = scheduler.submit(version)
  scheduler.feed({ type: 'workerAnswered', workerId: worker })
  expect(scheduler.jobsAt(worker)).toEqual([first, second])
  expect(scheduler.all('jobRequeued')).toEqual([])
})

test('what it had is begun elsewhere only once it is certainly dead', () => {
  const { scheduler, worker, first } = suspected()
  expect(scheduler.all('jobRequeued')).toEqual([])
  scheduler.kill(worker)
  expect(scheduler.all('jobRequeued')).toMatchObject([{ jobId: first, cause: 'worker_lost' }])
})
