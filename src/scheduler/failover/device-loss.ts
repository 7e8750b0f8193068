/**
 * Devices that are lost, and come back. The workers of a lost device are killed; once they are certainly dead their tasks go on elsewhere, from their
 * checkpoints, or wait for the device where no other can hold their model. It is nobody's failure. On its return it is tried carefully.
 */
import { joinPool } from '../eviction/pool.ts'
import type { DeviceId } from '../ids.ts'
import { displace } from '../placement/claims.ts'
import { bindUnbound, rebindFrom } from '../placement/rebinding.ts'
import { endPressure } from '../pressure/pressure.ts'
import type { Worker } from '../state.ts'
import { decided, type Turn } from '../turn.ts'
import { distrust } from './circuit.ts'

export function loseDevice(turn: Turn, deviceId: DeviceId): void {
  const device = turn.state.devices.get(deviceId)
  if (!device || device.isLost) return
  device.isLost = true
  joinPool(turn.state, device)
  decided(turn, { kind: 'DRAIN', reason: 'device_lost', deviceId })
  endPressure(turn, device)
  displace(turn, device)
  for (const slot of device.slots.values()) {
    distrust(turn.state, slot)
    for (const worker of [...slot.spares, slot.primary, slot.retiring]) if (worker) kill(turn, worker)
  }
  rebindFrom(turn, device, null)
  turn.placementDue = true
}

export function takeBackDevice(turn: Turn, deviceId: DeviceId): void {
  const device = turn.state.devices.get(deviceId)
  if (!device?.isLost) return
  device.isLost = false
  joinPool(turn.state, device)
  bindUnbound(turn)
  turn.pressureDue.add(device)
  turn.freed.add(device)
  turn.placementDue = true
  turn.staffingDue = true
}

/** One that was asked to stop may never do so. */
function kill(turn: Turn, worker: Worker): void {
  worker.state = 'stopping'
  turn.commands.push({ type: 'killWorker', workerId: worker.workerId })
  for (const { version } of worker.residencies.values()) turn.touched.add(version)
}
