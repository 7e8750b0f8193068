import { describe, expect, test } from 'vitest'
import { mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

const graph = {
  encode: { components: [0] },
  denoise: { after: ['encode'], components: [1] },
  write: { after: ['denoise'], components: [], stage: 'postprocessing' },
} as const

/** A job whose model has begun to load. */
function loading() {
  const scheduler = new SchedulerUnderTest()
  scheduler.device()
  const componentNames = ['text_encoder', 'unet']
  const version = scheduler.version({ componentBytes: [20 * mib, 80 * mib], componentNames })
  const { jobId, task } = scheduler.submitGraph(version, graph)
  const { workerId } = scheduler.all('spawnWorker')[0]!
  scheduler.ready(workerId)
  const component = (number: number) =>
    scheduler.feed({ type: 'componentLoaded', workerId, versionId: version, component: number })
  return { scheduler, version, workerId, jobId, task, component }
}

describe('a model loads component by component', () => {
  test('what needs no more than is there runs before the model is whole', () => {
    const { scheduler, version, workerId, jobId, task, component } = loading()
    const first = component(0)
    expect(first.map(({ type }) => type)).toEqual(['setPolicy', 'residencyChanged', 'admit'])
    expect(scheduler.say({ kind: 'started', taskId: task.encode })).toMatchObject([{ type: 'jobStarted', jobId }])
    scheduler.done(task.encode)
    expect(scheduler.admission(task.denoise)).toBeUndefined()
    expect(component(1)).toContainEqual(
      expect.objectContaining({ type: 'admit', tasks: [expect.objectContaining({ taskId: task.denoise })] }),
    )
    scheduler.done(task.denoise)
    // It names no component, and waits for the model.
    expect(scheduler.admission(task.write)).toBeUndefined()
    scheduler.loaded(workerId, version)
    expect(scheduler.admission(task.write)).toBeDefined()
    expect(scheduler.all('setPolicy')).toHaveLength(1)
  })

  test('its residency says how far it is', () => {
    const { scheduler, version, workerId, component } = loading()
    component(1)
    component(0)
    scheduler.loaded(workerId, version)
    const shown = scheduler.all('residencyChanged').map(({ residency }) => residency)
    expect(shown).toMatchObject([
      { state: 'loading', loadedBytes: 0, components: [] },
      { state: 'loading', loadedBytes: 80 * mib, components: [1] },
      { state: 'loading', loadedBytes: 100 * mib, components: [0, 1] },
      { state: 'resident', loadedBytes: 100 * mib, components: [0, 1] },
    ])
  })

  test('a component that the version does not have, or of a model that is not loading, changes nothing', () => {
    const { scheduler, version, workerId, component } = loading()
    expect(component(7)).toEqual([])
    scheduler.loaded(workerId, version)
    expect(component(0)).toEqual([])
  })
})

describe('a load fails after some of it was used', () => {
  test('its tasks are recalled, and the load ends when the worker has dropped them; then the job begins another attempt', () => {
    const { scheduler, version, workerId, jobId, task, component } = loading()
    component(0)
    scheduler.say({ kind: 'started', taskId: task.encode })
    expect(scheduler.loadFailed(workerId, version)).toMatchObject([
      { type: 'residencyChanged', residency: { state: 'evicting' } },
      { type: 'jobRequeued', jobId, attempt: 2, cause: 'load_failed', failedAttempts: 0 },
      { type: 'cancelTasks', workerId, taskIds: [task.encode] },
      { type: 'setTimer' },
    ])
    const ended = scheduler.say({ kind: 'cancelled', taskId: task.encode })
    expect(ended).toContainEqual(expect.objectContaining({ type: 'residencyEnded', reason: 'load_failed' }))
    expect(ended.map(({ type }) => type)).not.toContain('unload')
    scheduler.pass(10_000)
    scheduler.serve()
    expect(scheduler.admission(task.encode)).toMatchObject({ attempt: 2 })
  })

  test('for good: the job fails too, though it had a place there', () => {
    const { scheduler, version, workerId, jobId, task, component } = loading()
    component(0)
    scheduler.say({ kind: 'started', taskId: task.encode })
    scheduler.loadFailed(workerId, version, false)
    expect(scheduler.end(jobId)).toMatchObject({ type: 'jobFailed', code: 'ENGINE_ERROR' })
    scheduler.say({ kind: 'cancelled', taskId: task.encode })
    expect(scheduler.state.residencies.size).toBe(0)
  })

  test('with its worker: the job is set back like any other', () => {
    const { scheduler, workerId, jobId, task, component } = loading()
    component(0)
    scheduler.done(task.encode)
    scheduler.kill(workerId)
    expect(scheduler.all('jobRequeued')).toMatchObject([{ jobId, cause: 'worker_lost', deathsAlone: 0 }])
    expect(scheduler.state.jobs.get(jobId)!.tasks[0]!.state).toBe('waiting')
  })
})
