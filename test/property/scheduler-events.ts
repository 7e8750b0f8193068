/** Events for the scheduler, drawn by fast-check: likely ones and absurd ones. */
import * as fc from 'fast-check'
import type { JobSpec, SchedulerEvent, TaskReport } from '../../src/scheduler/events.ts'
import type { DeviceId, JobId, SessionId, TaskId, UserId, VersionId, WorkerId } from '../../src/scheduler/ids.ts'
import type { SchedulerState } from '../../src/scheduler/state.ts'

/** Few numbers, so that events hit what is there, what is gone and what never was. */
const id = <Id extends number>(max: number) => fc.integer({ min: 1, max }).map((value) => value as Id)
const deviceId = id<DeviceId>(3)
const versionId = id<VersionId>(3)
const workerId = id<WorkerId>(40)
const jobId = id<JobId>(60)
const tasksPerJob = 3
const taskId = id<TaskId>(60 * tasksPerJob)
const sessionId = id<SessionId>(5)
const bytes = fc.integer({ min: 0, max: 900 })
const of = <Value extends string>(value: Value) => fc.constant(value)

const device = fc.record({
  deviceId,
  name: of('device'),
  limitBytes: fc.constantFrom(1500, 3000, 6000),
  coreCount: fc.constant(2),
  workerThreads: fc.constant(2),
})
const version = fc
  .record({
    versionId,
    modelName: of('model'),
    engine: fc.constantFrom('onnx', 'llama_cpp'),
    weightsBytes: fc.constantFrom(100, 500, 1300),
    workingBytes: fc.constantFrom(0, 200),
    holdMs: fc.constant(0),
    interruptAfterMs: fc.constant(5),
    componentBytes: fc.constant([100, 0]),
    componentNames: fc.constant(['first', 'second']),
  })
  // What a worker was given ahead under a larger limit would look like too much.
  .map((facts) => ({ ...facts, batchLimit: facts.versionId }))
const job = fc
  .record({
    jobId,
    class: fc.constantFrom('interactive' as const, 'batch' as const),
    versionId,
    tasks: fc.integer({ min: 1, max: 3 }),
    deadlineAt: fc.option(fc.integer({ min: -5, max: 2000 }), { nil: null, freq: 8 }),
  })
  .map(
    ({ versionId: of, tasks, ...facts }): JobSpec => ({
      ...facts,
      userId: facts.jobId % 3 === 0 ? null : ((facts.jobId % 3) as UserId),
      sessionId: facts.jobId % 5 === 0 ? null : ((facts.jobId % 5) as SessionId),
      weight: 1,
      work: 1,
      submittedAt: 0,
      tasks: chain(facts.jobId, of, tasks),
    }),
  )
const report: fc.Arbitrary<TaskReport> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: of('started'), taskId }) },
  { weight: 3, arbitrary: fc.record({ kind: of('done'), taskId, stepsRun: fc.nat(9), heldBytes: fc.nat(50) }) },
  fc.record({ kind: of('step'), taskId, done: fc.nat(9), total: fc.constant(null) }),
  fc.record({
    kind: of('failed'),
    taskId,
    code: fc.constantFrom(
      'out_of_memory',
      'engine_error',
      'invalid_request',
      'stale_model',
      'artifact_missing',
      'input_missing',
    ),
    retryable: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('cancelled' as const, 'withdrawn' as const), taskId }),
  { weight: 3, arbitrary: fc.record({ kind: of('paused'), taskId, stateBytes: fc.nat(90) }) },
)
const place = fc.option(deviceId, { nil: null })

const event: fc.Arbitrary<SchedulerEvent> = fc.oneof(
  fc.record({ type: of('deviceAdded'), device }),
  fc.record({ type: of('versionRegistered'), version }),
  {
    weight: 5,
    arbitrary: fc.record({ type: of('jobsSubmitted'), jobs: fc.array(job, { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: of('cancelRequested'), jobId }) },
  { weight: 3, arbitrary: fc.record({ type: of('pauseRequested'), jobId, cause: of('requested') }) },
  { weight: 3, arbitrary: fc.record({ type: of('resumeRequested'), jobId }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: of('componentLoaded'),
      workerId,
      versionId,
      component: fc.integer({ min: 0, max: 2 }),
    }),
  },
  fc.record({ type: of('taskCheckpointed'), workerId, taskId, step: fc.nat(9) }),
  fc.record({ type: of('leaseRevoked'), workerId }),
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom('loadRequested' as const, 'unloadRequested' as const),
      versionId,
      deviceId: place,
    }),
  },
  { weight: 6, arbitrary: fc.record({ type: of('workerReady'), workerId, privateBytes: fc.constantFrom(50, 300) }) },
  fc.record({ type: of('workerExited'), workerId, cause: fc.constantFrom('signal' as const, 'requested' as const) }),
  {
    weight: 6,
    arbitrary: fc.record({
      type: of('modelLoaded'),
      workerId,
      versionId,
      loadMs: fc.nat(50),
      weightsBytes: bytes,
      privateBytes: bytes,
    }),
  },
  fc.record({
    type: of('modelLoadFailed'),
    workerId,
    versionId,
    code: fc.constantFrom('engine_error' as const, 'stale_model' as const),
    retryable: fc.boolean(),
  }),
  fc.record({ type: of('versionReplaced'), versionId }),
  {
    weight: 3,
    arbitrary: fc.record({
      type: of('versionChecked'),
      versionId,
      state: fc.constantFrom('intact' as const, 'intact' as const, 'gone' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: of('modelUnloaded'), workerId, versionId }) },
  {
    weight: 10,
    arbitrary: fc.record({
      type: of('stepsReported'),
      workerId,
      reports: fc.array(report, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: of('pinRequested'), versionId, deviceId: place, pinned: fc.boolean() }) },
  fc.record({ type: of('hintGiven'), versionId, withinMs: fc.nat(300), probability: fc.constantFrom(0, 0.2, 1) }),
  fc.record({ type: of('sessionOpened'), sessionId, versionId: fc.option(versionId, { nil: null }) }),
  fc.record({ type: of('sessionClosed'), sessionId }),
  fc.record({ type: fc.constantFrom('workerSuspected' as const, 'workerAnswered' as const), workerId }),
  fc.record({ type: of('deviceLost'), deviceId }),
  { weight: 2, arbitrary: fc.record({ type: of('deviceReturned'), deviceId }) },
  fc.record({ type: of('workerMeasured'), workerId, privateBytes: bytes }),
  fc.record({
    type: of('deviceMeasured'),
    deviceId,
    externalBytes: bytes,
    stallShare: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  { weight: 3, arbitrary: fc.constant<SchedulerEvent>({ type: 'timerFired' }) },
)

export interface Told {
  readonly event: SchedulerEvent
  readonly afterMs: number
  /** Go on from a copy through JSON, beside the original. */
  readonly copies: boolean
  /** As drawn; else aimed at what is there. */
  readonly isWild: boolean
}

/** A device and two versions to begin with, then anything. */
export const life: fc.Arbitrary<Told[]> = fc
  .array(
    fc.record({ event, afterMs: fc.nat(40), copies: fc.boolean(), isWild: fc.nat(9).map((digit) => digit === 0) }),
    { maxLength: 120, size: 'max' },
  )
  .map((rest) => [...prologue, ...rest])

const prologue: readonly Told[] = [
  {
    type: 'deviceAdded' as const,
    device: { deviceId: 1 as DeviceId, name: 'device', limitBytes: 3000, coreCount: 2, workerThreads: 2 },
  },
  ...[1, 2].map((number) => ({
    type: 'versionRegistered' as const,
    version: {
      versionId: number as VersionId,
      modelName: 'model',
      engine: 'onnx',
      weightsBytes: 500,
      workingBytes: 100,
      batchLimit: number,
      holdMs: 0,
      interruptAfterMs: 5,
      componentBytes: [100, 0],
      componentNames: ['first', 'second'],
    },
  })),
].map((first) => ({ event: first, afterMs: 0, copies: false, isWild: true }))

/** Most events come from workers that are there and speak of what they have, and wishes are about jobs that live. */
export function aimed(state: SchedulerState, drawn: SchedulerEvent): SchedulerEvent {
  if (drawn.type === 'pauseRequested' || drawn.type === 'resumeRequested') {
    const isPausing = drawn.type === 'resumeRequested'
    const jobs = [...state.jobs.values()].filter(({ pauseCause }) => (pauseCause !== null) === isPausing)
    return {
      ...drawn,
      jobId: pickFrom(
        jobs.map((one) => one.jobId),
        drawn.jobId,
      ),
    }
  }
  if (drawn.type === 'cancelRequested') return { ...drawn, jobId: pickFrom([...state.jobs.keys()], drawn.jobId) }
  if (!('workerId' in drawn)) return drawn
  const worker = [...state.workers.values()][drawn.workerId % Math.max(1, state.workers.size)]
  if (!worker) return drawn
  const { workerId: there } = worker
  const held = [...worker.tasks].map((task) => task.taskId)
  if ('versionId' in drawn)
    return { ...drawn, workerId: there, versionId: pickFrom([...worker.residencies.keys()], drawn.versionId) }
  if (drawn.type === 'taskCheckpointed') return { ...drawn, workerId: there, taskId: pickFrom(held, drawn.taskId) }
  if (drawn.type !== 'stepsReported') return { ...drawn, workerId: there }
  const pausing = [...worker.tasks].filter((task) => task.state === 'pausing').map((task) => task.taskId)
  const reports = drawn.reports.map((one) => ({
    ...one,
    taskId: pickFrom(one.kind === 'paused' && pausing.length > 0 ? pausing : held, one.taskId),
  }))
  return { ...drawn, workerId: there, reports }
}

/** `drawn` itself where there is nothing to pick from. */
function pickFrom<Id extends number>(ids: readonly Id[], drawn: Id): Id {
  return ids[drawn % Math.max(1, ids.length)] ?? drawn
}

/** A chain whose outputs are held, or one that forks after its first task. */
function chain(owner: JobId, versionOf: VersionId, length: number): JobSpec['tasks'] {
  const first = (owner * tasksPerJob) as TaskId
  const isFork = owner % 2 === 0
  return Array.from({ length }, (_, index) => ({
    taskId: (first + index) as TaskId,
    versionId: versionOf,
    after: index === 0 ? [] : [isFork ? first : ((first + index - 1) as TaskId)],
    stage: index === 0 ? ('inference' as const) : ('postprocessing' as const),
    isHeld: isFork ? index === 0 : index < length - 1,
    components: index === 0 ? [0] : [1],
  }))
}
