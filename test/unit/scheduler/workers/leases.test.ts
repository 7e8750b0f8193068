import { describe, expect, test } from 'vitest'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

/** Two engines on one device, each with a model. */
function twoEngines(device: Parameters<SchedulerUnderTest['device']>[0] = {}) {
  const scheduler = new SchedulerUnderTest()
  const deviceId = scheduler.device(device)
  const [pictures, text] = [scheduler.version({ engine: 'onnx' }), scheduler.version({ engine: 'llama_cpp' })]
  for (const versionId of [pictures, text]) {
    scheduler.feed({ type: 'loadRequested', versionId, deviceId })
    scheduler.serve()
  }
  const workers = { pictures: scheduler.workerOf(pictures), text: scheduler.workerOf(text) }
  return { scheduler, pictures, text, workers }
}

/** Batch work in one of them when interactive work comes to the other. */
function contended() {
  const world = twoEngines()
  const { scheduler, pictures, text } = world
  const batch = scheduler.submit(text, { class: 'batch' })
  const interactive = scheduler.submit(pictures)
  return { ...world, batch, interactive }
}

describe('leases', () => {
  test('batch work of one engine stops while another one has interactive work', () => {
    const { scheduler, workers, interactive } = contended()
    expect(scheduler.all('revokeLease')).toEqual([{ type: 'revokeLease', workerId: workers.text }])
    scheduler.feed({ type: 'leaseRevoked', workerId: workers.text })
    expect(scheduler.finish(interactive)).toContainEqual({ type: 'grantLease', workerId: workers.text })
  })

  test('and gets its turn for a short while in every second', () => {
    const { scheduler } = contended()
    scheduler.pass(949)
    expect(scheduler.all('grantLease')).toEqual([])
    scheduler.pass(1)
    expect(scheduler.all('grantLease')).toHaveLength(1)
    scheduler.pass(50)
    expect(scheduler.all('revokeLease')).toHaveLength(2)
    scheduler.pass(10_000)
    expect(scheduler.all('revokeLease')).toHaveLength(12)
  })

  test('nobody stops where the cores are enough for both', () => {
    const { scheduler, pictures, text } = twoEngines({ coreCount: 8 })
    scheduler.submit(text, { class: 'batch' })
    scheduler.submit(pictures)
    expect(scheduler.all('revokeLease')).toEqual([])
  })

  test('nor where workers were given few threads', () => {
    const { scheduler, pictures, text } = twoEngines({ coreCount: 2, workerThreads: 1 })
    scheduler.submit(text, { class: 'batch' })
    scheduler.submit(pictures)
    expect(scheduler.all('revokeLease')).toEqual([])
  })

  test.each(['interactive', 'batch'] as const)('nobody stops where all work is %s', (priorityClass) => {
    const { scheduler, pictures, text } = twoEngines()
    scheduler.submit(text, { class: priorityClass })
    scheduler.submit(pictures, { class: priorityClass })
    expect(scheduler.all('revokeLease')).toEqual([])
  })

  test('a worker that gets interactive work itself goes on at once', () => {
    const { scheduler, text, workers } = contended()
    scheduler.submit(text)
    expect(scheduler.all('grantLease')).toEqual([{ type: 'grantLease', workerId: workers.text }])
  })

  test('nobody is left without a lease when the other worker dies', () => {
    const { scheduler, workers } = contended()
    expect(scheduler.kill(workers.pictures)).toContainEqual({ type: 'grantLease', workerId: workers.text })
  })

  test('nor when the interactive job is paused', () => {
    const { scheduler, interactive } = contended()
    scheduler.start(interactive)
    scheduler.pause(interactive)
    const { taskId } = scheduler.state.jobs.get(interactive)!.tasks[0]!
    expect(scheduler.say({ kind: 'paused', taskId, stateBytes: 0 }).map(({ type }) => type)).toContain('grantLease')
  })

  test('short interactive jobs, one after the other, go on in the same slice', () => {
    const { scheduler, pictures, interactive } = contended()
    const before = scheduler.all('setTimer').length
    scheduler.finish(interactive)
    for (let count = 0; count < 5; count += 1) {
      scheduler.now += 10
      scheduler.finish(scheduler.submit(pictures))
    }
    expect(scheduler.state.alarms).toHaveLength(1)
    expect(scheduler.all('setTimer')).toHaveLength(before)
    scheduler.pass(2000)
    expect(scheduler.state.alarms).toEqual([])
  })

  test('what is said of a lease that was given back meanwhile changes nothing', () => {
    const { scheduler, workers, interactive } = contended()
    scheduler.finish(interactive)
    expect(scheduler.feed({ type: 'leaseRevoked', workerId: workers.text })).toEqual([])
    expect(scheduler.state.workers.get(workers.text)!.lease).toBe('held')
  })

  test('who waits for one is told so', () => {
    const { scheduler, batch } = contended()
    expect(scheduler.wait(batch)).toMatchObject({ code: 'BEHIND_OTHERS' })
    expect(scheduler.wait(batch).reason).toMatch(/^Interactive work of another engine has the cores of cpu-\d+; /)
  })
})
