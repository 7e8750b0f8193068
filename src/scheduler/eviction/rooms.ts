/** The memory that would become free with a worker or a model, and what is on its way to become free. */
import type { Device, LiveResidency, Worker } from '../state.ts'
import { plus, type Room } from './cover.ts'

export function roomOfWorker({ runtime }: Worker): Room {
  return { totalBytes: runtime.sizeBytes, weightsBytes: 0 }
}

/** With what it keeps for paused jobs, which goes with it. */
export function roomOfResidency({ weights, working, jobs }: LiveResidency): Room {
  let totalBytes = weights.sizeBytes + working.sizeBytes
  for (const { tasks } of jobs)
    for (const { heldOutput, pausedState } of tasks)
      totalBytes += (heldOutput?.sizeBytes ?? 0) + (pausedState?.sizeBytes ?? 0)
  return { totalBytes, weightsBytes: weights.sizeBytes }
}

export function leavingRoom(device: Device): Room {
  let room: Room = { totalBytes: 0, weightsBytes: 0 }
  for (const residency of device.residencies)
    if (residency.state === 'evicting') room = plus(room, roomOfResidency(residency))
  for (const worker of workersOn(device)) if (worker.state === 'stopping') room = plus(room, roomOfWorker(worker))
  return room
}

export function* workersOn(device: Device): Generator<Worker> {
  for (const { spares, primary, retiring } of device.slots.values()) {
    yield* spares
    if (primary) yield primary
    if (retiring) yield retiring
  }
}
