/** What must hold of workers, residencies, versions and leases after every step. */
import { hasRoom, isOpen, nextFor } from '../admission/admission.ts'
import { isOvertaken } from '../placement/overtaking.ts'
import { wantOf } from '../placement/wants.ts'
import {
  backlogOf,
  type Device,
  deviceOf,
  isGone,
  isLive,
  type LiveResidency,
  priorityClasses,
  type SchedulerState,
  steppingTasks,
  type Task,
  type Version,
  type Worker,
} from '../state.ts'
import { contenders } from '../workers/leases.ts'
import type { Expect } from './expect.ts'

/** Tasks are only with workers that are ready and have what they need. */
export function checkWorker(state: SchedulerState, worker: Worker, expect: Expect): void {
  const { tasks, alone, slot, residencies, runtime } = worker
  expect(slot.primary === worker || slot.retiring === worker || slot.spares.includes(worker), 'has no place')
  const isUsable = worker.state === 'ready' || slot.device.isLost || slot.circuit === 'probing'
  expect(steppingTasks(worker) === 0 || isUsable, 'has tasks and is not ready')
  expect(residencies.size === 0 || !slot.spares.includes(worker), 'is a spare and holds models')
  expect(!alone?.residency || steppingTasks(worker) === 1, 'has a task that should be alone, and others')
  expect(alone?.state !== 'paused', 'is kept for a task that is paused')
  expect(alone === null || alone.version.aloneAt === worker, 'is reserved for a suspect that does not know it')
  for (const task of tasks)
    expect(task.residency?.worker === worker && hasWhatItNeeds(task, task.residency), 'lacks a version, or a component')
  expect(state.allocations.get(runtime.allocationId) === runtime, 'is on no book')
}

function hasWhatItNeeds({ components, state }: Task, residency: LiveResidency): boolean {
  if (residency.state !== 'loading') return true
  return state === 'abandoned' || (components.length > 0 && components.every((one) => residency.components.has(one)))
}

export function checkResidency(state: SchedulerState, residency: LiveResidency, expect: Expect): void {
  const { version, worker, admitted, interactive, running, parked, ending, jobs, lanes } = residency
  const tasks = [...worker.tasks].filter((task) => task.residency === residency)
  const stepping = tasks.filter(({ pausedState }) => pausedState === null)
  expect(state.workers.get(worker.workerId) === worker, 'is in no worker')
  expect(worker.residencies.get(version.spec.versionId) === residency, 'is not known to its worker')
  expect(version.residencies.includes(residency), 'is not known to its version')
  expect(deviceOf(residency).residencies.has(residency), 'is not known to its device')
  expect(admitted === stepping.length, 'counts other tasks than it has')
  expect(parked === tasks.length - stepping.length, 'counts other paused tasks than it has')
  const isInteractive = ({ job }: Task) => job.class === 'interactive'
  expect(interactive === stepping.filter(isInteractive).length, 'counts other interactive tasks')
  expect(running === stepping.filter(({ startedAt }) => startedAt !== null).length, 'counts other started tasks')
  // What was paused comes back at once, however much there is meanwhile.
  const unstarted = stepping.filter(({ startedAt }) => startedAt === null).length
  expect(unstarted <= 2 * state.settings.admitAheadFactor * version.spec.batchLimit, 'was given too much ahead of need')
  expect(
    [...jobs].every((job) => job.home === residency),
    'is home to jobs that do not know it',
  )
  const isLeaving = residency.unloadSent || admitted + parked > 0
  expect(residency.state !== 'evicting' || (ending !== null && isLeaving), 'is to go, is idle, and was not told')
  const waiting = lanes.interactive.size + lanes.batch.size
  expect(isLive(residency) || waiting === 0, 'is to go, and tasks wait for it')
  expect(isLive(residency) || !tasks.some((task) => task.state === 'paused'), 'is to go, and has tasks that stay')
}

/** Work is conserved: nothing waits that a worker could take, as far as `nextFor` looks. Whoever has to be loaded is on the list. */
export function checkVersion(state: SchedulerState, version: Version, expect: Expect): void {
  const { residencies, aloneAt } = version
  checkLanes(version, expect)
  for (const priorityClass of priorityClasses) {
    const idle = residencies.some(
      (residency) =>
        isOpen(residency) && hasRoom(state, residency, priorityClass) && nextFor(state, residency, priorityClass),
    )
    expect(!idle, `has ${priorityClass} tasks waiting, and room for them`)
  }
  expect(
    (wantOf(state, version, 0) !== null) === state.wanted.has(version),
    'is wanted and not on the list, or is on it',
  )
  expect(!isOvertaken(state, version) || version.urgency?.rank === 0, 'was overtaken too often, and others go first')
  expect(!isGone(version) || backlogOf(version) === 0, 'is gone, and tasks wait for it')
  expect(
    version.standing !== 'replaced' || version.requests.length === 0,
    'cannot be loaded, and somebody waits for it',
  )
  expect(aloneAt === null || aloneAt.alone?.version === version, 'has a worker reserved that does not know it')
  const workers = residencies.filter(isLive).map(({ worker }) => worker)
  expect(new Set(workers).size === workers.length, 'is twice in one worker')
}

/** Whoever is in a queue waits there and nowhere else. */
function checkLanes(version: Version, expect: Expect): void {
  for (const place of [version, ...version.residencies]) {
    const home = place === version ? null : place
    for (const priorityClass of priorityClasses)
      for (const { state: life, job } of place.lanes[priorityClass])
        expect(life === 'waiting' && job.home === home && job.class === priorityClass, 'has a lane with others in it')
  }
  for (const { device, lanes } of version.bound.values())
    for (const priorityClass of priorityClasses)
      for (const { state: life, job } of lanes[priorityClass])
        expect(life === 'waiting' && job.home === null && job.boundTo === device, 'binds others to a device')
  for (const { state: life } of version.suspects) expect(life === 'suspect', 'suspects tasks that are elsewhere')
}

/** Only batch work waits for a lease, only for interactive work beside it, and never longer than until its turn. */
export function checkLeases(state: SchedulerState, device: Device, expect: Expect): void {
  const contest = contenders(device)
  const { leaseTurn } = device
  const waiting = [...state.workers.values()].filter(({ slot, lease }) => slot.device === device && lease !== 'held')
  expect(contest === null || leaseTurn !== null, 'takes no turns, and work contends for it')
  expect(
    waiting.every((worker) => worker.state === 'stopping' || (contest?.batch.includes(worker) && !leaseTurn?.isBatch)),
    'keeps a worker from its lease',
  )
  expect(leaseTurn === null || state.alarms.some((at) => at <= leaseTurn.endsAt), 'has a turn that nobody ends')
}
