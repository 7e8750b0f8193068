/** What must hold of jobs and their tasks after every step. */

import { lanesOf } from '../admission/lanes.ts'
import { isLive, type Job, type SchedulerState, type Task } from '../state.ts'
import type { Expect } from './expect.ts'

/** No job is lost: each has something left to do, and somebody who will do it, or whoever paused it will say when. */
export function checkJob(state: SchedulerState, job: Job, expect: Expect): void {
  const { pauseCause, cancelRequested, deadlineAt } = job
  const { held, stepping, queued, left, started } = countTasks(job)
  const isPaused = job.state === 'paused'
  expect(job.tasksLeft > 0 && job.tasksLeft === left, 'has ended, or counts other tasks than are left')
  expect(job.tasksAtWorkers === held, 'counts other tasks at workers than are there')
  expect(job.tasksStepping === stepping, 'counts other tasks that may step than there are')
  const isWaiting = job.state === 'queued' || job.state === 'loading'
  expect(state.waiting[job.class].has(job) === isWaiting, 'waits outside the queue, or is in it and does not wait')
  const isWatchedHere = deadlineAt !== null && stepping === 0 && !cancelRequested
  expect(job.deadlineSlot >= 0 === isWatchedHere, 'has a deadline that nobody watches, or two who do')
  const { restsUntil } = job.memory
  const isResting = restsUntil !== null && state.climbing.has(job) && state.alarms.includes(restsUntil)
  expect(cancelRequested || isPaused || isResting || held + queued > 0, 'has no task that could go on')
  expect(!cancelRequested || held > 0, 'was cancelled, is nowhere, and has not ended')
  expect(!isPaused || (pauseCause !== null && stepping === 0), 'is paused, and nobody wished it or it steps')
  expect(pauseCause === null || queued === 0, 'is to pause, and tasks of it wait to be admitted')
  expect(isPaused || pauseCause === null || cancelRequested || stepping > 0, 'is still, and was not paused')
  expect(job.setback === null || isPaused, 'was set back, and nobody was told')
  expect(started === 0 || job.state === 'running', 'is at work, and shown as something else')
  checkHome(state, job, expect)
}

/** `left`: not done. `stepping`: at a worker and not paused there. */
function countTasks({ tasks }: Job) {
  const count = { held: 0, stepping: 0, queued: 0, left: 0, started: 0 }
  for (const { residency, pausedState, state: life } of tasks) {
    if (residency) count.held += 1
    if (residency && !pausedState) count.stepping += 1
    if (life === 'waiting' || life === 'suspect') count.queued += 1
    if (life !== 'done') count.left += 1
    if (life === 'started') count.started += 1
  }
  return count
}

/** All of a job is in one place. */
function checkHome(state: SchedulerState, job: Job, expect: Expect): void {
  const { home, tasks } = job
  for (const { residency, heldOutput } of tasks) {
    expect(!residency || residency === home, 'has tasks away from its home')
    expect(!heldOutput || heldOutput.residencyId === home?.residencyId, 'has outputs away from its home')
  }
  if (!home) return
  expect(state.residencies.get(home.residencyId) === home, 'has a home that is gone')
  expect(home.version === job.version && home.jobs.has(job), 'has a home that does not know it')
  expect(isLive(home) || job.tasksAtWorkers > 0, 'stays in a home that is to go, and has nothing there')
}

/** A task is in the one place that its state names; that nobody else has it is asked of those. */
export function checkTask(state: SchedulerState, task: Task, expect: Expect): void {
  const { version, job, residency, state: life, pausedState } = task
  const isQueued = life === 'waiting' || life === 'suspect'
  const isAtWorker = !isQueued && life !== 'blocked' && life !== 'done'
  expect((state.tasks.get(task.taskId) === task) === isAtWorker, 'is at a worker and unknown, or at none and known')
  if (life === 'waiting') expect(lanesOf(job)[job.class].has(task), 'is not in its lane')
  if (life === 'suspect') expect(task.isSuspect && version.suspects.has(task), 'is not among the suspects')
  expect((residency !== null) === isAtWorker, 'is at a worker and should not be, or is not')
  expect(residency === null || residency.worker.tasks.has(task), 'is at a worker that does not know it')
  expect(task.startedAt === null || isAtWorker, 'has a start, and is at no worker')
  expect(life !== 'started' || task.startedAt !== null, 'has started at no time')
  const mayKeepState = life === 'recalled' || life === 'abandoned'
  expect((pausedState !== null) === (life === 'paused') || mayKeepState, 'has a paused state that does not fit')
  checkOutput(state, task, expect)
}

/** What a task is to take is there, and what nobody is to take is not. */
function checkOutput(state: SchedulerState, task: Task, expect: Expect): void {
  const { state: life, isHeld, heldOutput, after, followers } = task
  if (heldOutput) {
    expect(life === 'done' && isHeld, 'has not ended, and its output is held')
    expect(state.allocations.get(heldOutput.allocationId) === heldOutput, 'holds what is on no book')
    expect(
      followers.some((follower) => follower.state !== 'done'),
      'is held for nobody',
    )
  }
  if (life !== 'waiting' && life !== 'suspect') return
  expect(
    after.every((producer) => producer.state === 'done' && (!producer.isHeld || producer.heldOutput !== null)),
    'waits to be admitted, and what it takes is not there',
  )
}
