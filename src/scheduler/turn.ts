/** One step while it is taken: its time, what it has decided so far, and what it still has to look at. */
import type { Admission, Command } from './commands.ts'
import type { NewDecision } from './explain/decisions.ts'
import type { Millis, TaskId } from './ids.ts'
import type { Device, Job, SchedulerState, Version, Worker } from './state.ts'

export interface Turn {
  readonly state: SchedulerState
  readonly now: Millis
  readonly commands: Command[]
  /** Versions whose waiting tasks or free places have changed. */
  readonly touched: Set<Version>
  /** What each worker is told at the end, one command of a kind. */
  readonly letters: Map<Worker, Letter>
  /** Jobs that begin another attempt; several failures that are learnt together are one setback. */
  readonly setBack: Set<Job>
  /** Devices whose workers have other work than before. */
  readonly leasesDue: Set<Device>
  /** Versions that have become wanted, or more urgent, or that were to be tried again. */
  readonly unplaced: Set<Version>
  /** Devices where memory, a load or work has ended: a load may have become possible there. */
  readonly freed: Set<Device>
  /** Devices where memory, or what could be had of it, has changed. */
  readonly pressureDue: Set<Device>
  /** Whatever is most urgent is to be tried everywhere. */
  placementDue: boolean
  /** Workers, engines or memory changed: a worker or spare may be missing. */
  staffingDue: boolean
}

export interface Letter {
  readonly admissions: Admission[]
  readonly withdrawals: TaskId[]
  readonly cancellations: TaskId[]
  readonly pauses: TaskId[]
  readonly resumptions: TaskId[]
  /** Held outputs that nobody takes any more. */
  readonly releases: TaskId[]
}

export function beginTurn(state: SchedulerState, now: Millis): Turn {
  return {
    state,
    now,
    commands: [],
    touched: new Set(),
    letters: new Map(),
    setBack: new Set(),
    leasesDue: new Set(),
    unplaced: new Set(),
    freed: new Set(),
    pressureDue: new Set(),
    placementDue: false,
    staffingDue: false,
  }
}

/** Sends what was collected. What frees places goes out before what fills them; what has not started is taken back rather than paused. */
export function tellWorkers(turn: Turn): void {
  for (const [{ workerId }, letter] of turn.letters) {
    const tell = (
      type: 'withdraw' | 'cancelTasks' | 'pauseTasks' | 'resumeTasks' | 'releaseOutputs',
      taskIds: readonly TaskId[],
    ) => {
      if (taskIds.length > 0) turn.commands.push({ type, workerId, taskIds })
    }
    tell('withdraw', letter.withdrawals)
    tell('cancelTasks', letter.cancellations)
    // Somebody has it go on, and memory is short: what is resumed and paused in one turn is to be paused.
    tell('resumeTasks', letter.resumptions)
    tell('pauseTasks', letter.pauses)
    tell('releaseOutputs', letter.releases)
    if (letter.admissions.length > 0) turn.commands.push({ type: 'admit', workerId, tasks: letter.admissions })
  }
}

export function letterTo({ letters }: Turn, worker: Worker): Letter {
  let letter = letters.get(worker)
  if (!letter) {
    letter = { admissions: [], withdrawals: [], cancellations: [], pauses: [], resumptions: [], releases: [] }
    letters.set(worker, letter)
  }
  return letter
}

/** Nothing is said to a worker that is gone, not even what an alarm had to say to it in the same turn. */
export function forgetWorker({ letters, commands }: Turn, worker: Worker): void {
  letters.delete(worker)
  const isToIt = (command: Command) =>
    'workerId' in command && !('jobId' in command) && command.workerId === worker.workerId
  for (let index = commands.findIndex(isToIt); index >= 0; index = commands.findIndex(isToIt)) commands.splice(index, 1)
}

export function decided(turn: Turn, decision: NewDecision): void {
  turn.state.decisions.record(turn.now, decision)
}

/** Something held back may go on at `at`. */
export function setAlarm(state: SchedulerState, at: Millis): void {
  const { alarms } = state
  let index = alarms.length
  while (index > 0 && (alarms[index - 1] ?? 0) > at) index -= 1
  if (alarms[index - 1] !== at) alarms.splice(index, 0, at)
}
