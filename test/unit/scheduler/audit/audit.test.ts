/** The audit finds what it is there to find: each of these is a mistake that the scheduler might make. */
import { expect, test } from 'vitest'
import { Audit } from '../../../../src/scheduler/audit/audit.ts'
import type { Command } from '../../../../src/scheduler/commands.ts'
import type { JobSpec, SchedulerEvent } from '../../../../src/scheduler/events.ts'
import type { DeviceId, JobId, TaskId, VersionId, WorkerId } from '../../../../src/scheduler/ids.ts'

const jobId = 1 as JobId
const versionId = 1 as VersionId
const deviceId = 1 as DeviceId
const workerId = 1 as WorkerId
const [first, second] = [10, 11] as [TaskId, TaskId]

const common = { versionId, stage: 'inference', components: [] } as const
const job: JobSpec = {
  jobId,
  userId: null,
  sessionId: null,
  weight: 1,
  work: 1,
  class: 'batch',
  submittedAt: 0,
  deadlineAt: null,
  tasks: [
    { ...common, taskId: first, after: [], isHeld: true },
    { ...common, taskId: second, after: [first], isHeld: false },
  ],
}

const spawn: Command = { type: 'spawnWorker', workerId, deviceId, engine: 'onnx', spare: false }
const admit = (taskId: TaskId, inputs: readonly TaskId[] = [], isRestored = false): Command => {
  const isHeld = taskId === first
  const facts = { jobId, class: 'batch', order: 1, attempt: 1, deadlineAt: null, stage: 'inference' } as const
  return { type: 'admit', workerId, tasks: [{ ...facts, taskId, isHeld, inputs, isRestored, stepMsMax: null }] }
}
const done = (taskId: TaskId): SchedulerEvent => ({
  type: 'stepsReported',
  workerId,
  reports: [{ kind: 'done', taskId, stepsRun: 1, heldBytes: 1 }],
})
const nothing: SchedulerEvent = { type: 'timerFired' }

/** What is found after the job was submitted to a worker and each event had led to these commands. */
function problemsOf(...steps: readonly (readonly [SchedulerEvent, ...Command[]])[]): readonly string[] {
  const audit = new Audit({ weightsShare: 0.8 })
  audit.observe({ type: 'jobsSubmitted', jobs: [job] }, [spawn])
  for (const [event, ...commands] of steps) audit.observe(event, commands)
  return audit.problems
}

test('nothing is found where nothing is wrong', () => {
  const release: Command = { type: 'releaseOutputs', workerId, taskIds: [first] }
  const end: Command = { type: 'jobSucceeded', jobId, taskId: second }
  expect(
    problemsOf([nothing, admit(first)], [done(first), admit(second, [first])], [done(second), end, release]),
  ).toEqual([])
})

test.each<[string, RegExp, ...(readonly [SchedulerEvent, ...Command[]])[]]>([
  ['a task at work is admitted again', /is at worker 1/, [nothing, admit(first)], [nothing, admit(first)]],
  [
    'a task runs again though its result is there',
    /its result is there/,
    [nothing, admit(first)],
    [done(first), admit(first)],
  ],
  ['a task is to take what nobody holds', /does not hold/, [nothing, admit(second, [first])]],
  ['a task is to go on from nothing', /checkpoint/, [nothing, admit(first, [], true)]],
  ['an output is released twice', /is not held/, [nothing, { type: 'releaseOutputs', workerId, taskIds: [first] }]],
  [
    'an output is held for a job that has ended',
    /its job has ended/,
    [nothing, admit(first)],
    [done(first), { type: 'jobCancelled', jobId }],
  ],
  [
    'a job is paused while a task of it steps',
    /of it steps/,
    [nothing, admit(first)],
    [nothing, { type: 'jobPaused', jobId, cause: 'requested' }],
  ],
  [
    'a task of a paused job is admitted',
    /is paused/,
    [nothing, { type: 'jobPaused', jobId, cause: 'requested' }, admit(first)],
  ],
  ['a job is resumed that was not paused', /was not paused/, [nothing, { type: 'jobResumed', jobId, deviceId: null }]],
  ['a lease is given twice', /a lease that it has/, [nothing, { type: 'grantLease', workerId }]],
  [
    'a model is unloaded under its task',
    /unloaded under/,
    [nothing, admit(first), { type: 'unload', workerId, versionId }],
  ],
])('it is found when %s', (_, problem, ...steps) => {
  expect(problemsOf(...steps).join('\n')).toMatch(problem)
})
