/** One step while it is taken: its time, what it has decided so far, and what it still has to look at. */
import type { Admission, Command } from './commands.ts'
import type { NewDecision } from './decisions.ts'
import type { Millis, TaskId } from './ids.ts'
import type { SchedulerState, Version, Worker } from './state.ts'

export interface Turn {
  readonly state: SchedulerState
  readonly now: Millis
  readonly commands: Command[]
  /** Versions whose waiting tasks or free places have changed. */
  readonly touched: Set<Version>
  /** What each worker is told at the end, one command of a kind. */
  readonly admissions: Map<Worker, Admission[]>
  readonly withdrawals: Map<Worker, TaskId[]>
  readonly cancellations: Map<Worker, TaskId[]>
  /** Memory, idleness or wishes changed: a load may have become possible. */
  placementDue: boolean
  /** Workers, engines or memory changed: a worker or spare may be missing. */
  staffingDue: boolean
}

export function beginTurn(state: SchedulerState, now: Millis): Turn {
  return {
    state,
    now,
    commands: [],
    touched: new Set(),
    admissions: new Map(),
    withdrawals: new Map(),
    cancellations: new Map(),
    placementDue: false,
    staffingDue: false,
  }
}

/** Tells the workers what was collected for them. What frees places goes out before what fills them. */
export function tellWorkers(turn: Turn): void {
  const { commands, withdrawals, cancellations, admissions } = turn
  for (const [{ workerId }, taskIds] of withdrawals) commands.push({ type: 'withdraw', workerId, taskIds })
  for (const [{ workerId }, taskIds] of cancellations) commands.push({ type: 'cancelTasks', workerId, taskIds })
  for (const [{ workerId }, tasks] of admissions) commands.push({ type: 'admit', workerId, tasks })
}

export function collect<Item>(map: Map<Worker, Item[]>, worker: Worker, item: Item): void {
  const items = map.get(worker)
  if (items) items.push(item)
  else map.set(worker, [item])
}

/** Nothing more is said to a worker that is gone. */
export function forgetWorker(turn: Turn, worker: Worker): void {
  turn.admissions.delete(worker)
  turn.withdrawals.delete(worker)
  turn.cancellations.delete(worker)
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
