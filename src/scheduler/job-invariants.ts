/** What must hold of jobs and their tasks after every step. */
import type { Expect } from './expect.ts'
import { isLive, type Job, type SchedulerState, type Task } from './state.ts'

/** No job is lost: each has something left to do, and somebody who will do it, or whoever paused it will say when. */
export function checkJob(state: SchedulerState, job: Job, expect: Expect): void {
  const { tasks, pauseCause, cancelRequested, deadlineAt } = job
  const held = tasks.filter(({ residency }) => residency !== null)
  const stepping = held.filter(({ pausedState }) => pausedState === null)
  const queued = tasks.filter(({ state: life }) => life === 'waiting' || life === 'suspect')
  const left = tasks.filter(({ state: life }) => life !== 'done')
  const isPaused = job.state === 'paused'
  expect(job.tasksLeft > 0 && job.tasksLeft === left.length, 'has ended, or counts other tasks than are left')
  expect(job.tasksAtWorkers === held.length, 'counts other tasks at workers than are there')
  expect(job.tasksStepping === stepping.length, 'counts other tasks that may step than there are')
  const isWaiting = job.state === 'queued' || job.state === 'loading'
  expect(state.waiting[job.class].has(job) === isWaiting, 'waits outside the queue, or is in it and does not wait')
  const isWatchedHere = deadlineAt !== null && stepping.length === 0 && !cancelRequested
  expect(job.deadlineSlot >= 0 === isWatchedHere, 'has a deadline that nobody watches, or two who do')
  expect(cancelRequested || isPaused || held.length + queued.length > 0, 'has no task that could go on')
  expect(!cancelRequested || held.length > 0, 'was cancelled, is nowhere, and has not ended')
  expect(!isPaused || (pauseCause !== null && stepping.length === 0), 'is paused, and nobody wished it or it steps')
  expect(pauseCause === null || queued.length === 0, 'is to pause, and tasks of it wait to be admitted')
  expect(isPaused || pauseCause === null || cancelRequested || stepping.length > 0, 'is still, and was not paused')
  expect(job.setback === null || isPaused, 'was set back, and nobody was told')
  const isAtWork = tasks.some(({ state: life }) => life === 'started')
  expect(!isAtWork || job.state === 'running', 'is at work, and shown as something else')
  checkHome(state, job, expect)
}

/** All of a job is in one place. */
function checkHome(state: SchedulerState, job: Job, expect: Expect): void {
  const { home, tasks } = job
  expect(home === null || state.residencies.get(home.residencyId) === home, 'has a home that is gone')
  expect(home === null || (home.version === job.version && home.jobs.has(job)), 'has a home that does not know it')
  expect(home === null || isLive(home) || job.tasksAtWorkers > 0, 'stays in a home that is to go, and has nothing there')
  const places = tasks.flatMap(({ residency, heldOutput }) => [residency?.residencyId, heldOutput?.residencyId])
  expect(
    places.every((residencyId) => residencyId === undefined || residencyId === home?.residencyId),
    'has tasks or outputs away from its home',
  )
}

/** A task is in exactly the one place that its state names. */
export function checkTask(state: SchedulerState, task: Task, expect: Expect): void {
  const { version, job, residency, state: life, pausedState } = task
  const isQueued = life === 'waiting' || life === 'suspect'
  const isAtWorker = !isQueued && life !== 'blocked' && life !== 'done'
  const lanes = [version, ...version.residencies].map((place) => place.lanes[job.class])
  const home = (job.home ?? version).lanes[job.class]
  expect(state.tasks.get(task.taskId) === task, 'is unknown')
  expect(home.has(task) === (life === 'waiting'), 'is in its lane and should not be, or is not')
  expect(!lanes.some((lane) => lane !== home && lane.has(task)), 'is in the lane of another home')
  expect(version.suspects.has(task) === (life === 'suspect'), 'is among the suspects and should not be, or is not')
  expect(life !== 'suspect' || task.isSuspect, 'is among the suspects, and nobody suspects it')
  expect((residency !== null) === isAtWorker, 'is at a worker and should not be, or is not')
  for (const worker of state.workers.values()) {
    expect(
      worker.tasks.has(task) === (worker === residency?.worker),
      `is not where it says, looked for at ${worker.workerId}`,
    )
  }
  expect(task.startedAt === null || isAtWorker, 'has a start, and is at no worker')
  expect(life !== 'started' || task.startedAt !== null, 'has started at no time')
  const mayKeepState = life === 'recalled' || life === 'abandoned'
  expect((pausedState !== null) === (life === 'paused') || mayKeepState, 'has a paused state that does not fit')
  checkOutput(state, task, expect)
}

/** What a task is to take is there, and what nobody is to take is not. */
function checkOutput(state: SchedulerState, { state: life, isHeld, heldOutput, after, followers }: Task, expect: Expect): void {
  expect(life === 'done' || heldOutput === null, 'has not ended, and its output is held')
  expect(heldOutput === null || (isHeld && state.allocations.get(heldOutput.allocationId) === heldOutput), 'holds what is on no book')
  expect(heldOutput === null || followers.some((follower) => follower.state !== 'done'), 'is held for nobody')
  if (life !== 'waiting' && life !== 'suspect') return
  expect(
    after.every((producer) => producer.state === 'done' && (!producer.isHeld || producer.heldOutput !== null)),
    'waits to be admitted, and what it takes is not there',
  )
}
