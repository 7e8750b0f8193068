import { describe, expect, test } from 'vitest'
import { runningJobs } from '../../../../src/scheduler/workers/workers.ts'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

describe('workers are there ahead of need', () => {
  test('one is started for each engine of a registered version, once', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    for (const engine of ['onnx', 'llama_cpp', 'onnx']) scheduler.version({ engine })
    expect(scheduler.all('spawnWorker').map(({ engine }) => engine)).toEqual(['onnx', 'llama_cpp'])
  })

  test('other devices get a worker when a load needs one there', () => {
    const scheduler = new SchedulerUnderTest()
    const devices = [scheduler.device(), scheduler.device()]
    const versionId = scheduler.version()
    scheduler.serve()
    scheduler.feed({ type: 'loadRequested', versionId, deviceId: devices[1]! })
    expect(scheduler.all('spawnWorker').map(({ deviceId }) => deviceId)).toEqual(devices)
  })

  test('a spare follows once the worker is ready, and there is one per engine', () => {
    const scheduler = new SchedulerUnderTest({ sparesPerEngine: 1 })
    scheduler.device()
    scheduler.version()
    expect(scheduler.all('spawnWorker').map(({ spare }) => spare)).toEqual([false])
    scheduler.serve()
    expect(scheduler.all('spawnWorker').map(({ spare }) => spare)).toEqual([false, true])
  })

  test('nothing is started where the memory for a process is missing', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ limitBytes: 90 * mib })
    scheduler.version()
    expect(scheduler.all('spawnWorker')).toEqual([])
  })
})

describe('a worker dies', () => {
  test('the spare takes over with the same models, and another spare is started', () => {
    const scheduler = new SchedulerUnderTest({ sparesPerEngine: 1 })
    scheduler.device()
    const version = scheduler.version()
    scheduler.submit(version)
    scheduler.serve()
    const [primary, spare] = scheduler.all('spawnWorker').map(({ workerId }) => workerId)
    const commands = scheduler.kill(primary!)
    expect(commands.find(({ type }) => type === 'load')).toMatchObject({ workerId: spare })
    scheduler.serve()
    expect(scheduler.all('spawnWorker').at(-1)).toMatchObject({ spare: true })
    expect(scheduler.jobsAt(spare!)).toHaveLength(1)
  })

  test('a model that was resident comes back though nothing waits for it', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    const versionId = scheduler.version()
    scheduler.feed({ type: 'loadRequested', versionId, deviceId: null })
    scheduler.serve()
    scheduler.kill(scheduler.workerOf(versionId))
    scheduler.serve()
    expect(scheduler.state.versions.get(versionId)?.residencies).toMatchObject([{ state: 'resident' }])
  })

  test('restarts come at once, then after 100 ms, then after 1, 2, 4 ... 60 s while nothing is done in between', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    scheduler.version()
    const pauses = Array.from({ length: 9 }, () => {
      const diedAt = scheduler.now
      scheduler.kill([...scheduler.state.workers.keys()].at(-1)!, 'exit_code')
      while (scheduler.state.workers.size === 0) scheduler.pass(scheduler.state.timerAt! - scheduler.now)
      return scheduler.now - diedAt
    })
    expect(pauses).toEqual([0, 100, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000])
  })

  test('work that gets done makes the next restart immediate again', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    const version = scheduler.version()
    for (let deaths = 0; deaths < 3; deaths += 1) {
      const job = scheduler.submit(version)
      scheduler.serve()
      scheduler.finish(job)
      scheduler.kill(scheduler.workerOf(version))
      expect(scheduler.state.workers.size).toBe(1)
    }
  })

  test('ends that were asked for do not slow the next start', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    scheduler.version()
    for (let ends = 0; ends < 4; ends += 1) {
      scheduler.kill([...scheduler.state.workers.keys()].at(-1)!, 'requested')
      expect(scheduler.state.workers.size).toBe(1)
    }
  })

  test('deaths far apart do not follow each other', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device()
    scheduler.version()
    for (let deaths = 0; deaths < 3; deaths += 1) {
      scheduler.pass(60_000)
      scheduler.serve()
      scheduler.kill([...scheduler.state.workers.keys()].at(-1)!)
      expect(scheduler.state.workers.size).toBe(1)
    }
  })
})

test('running jobs of a worker are those that have started there', () => {
  const scheduler = new SchedulerUnderTest()
  scheduler.device()
  const version = scheduler.version()
  const [first] = [scheduler.submit(version), scheduler.submit(version)]
  scheduler.serve()
  const worker = scheduler.workerOf(version)
  expect(runningJobs(scheduler.state, worker)).toEqual([])
  scheduler.start(first)
  expect(runningJobs(scheduler.state, worker)).toEqual([first])
})
