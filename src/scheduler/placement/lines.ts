/** Where jobs are served strictly in the order in which they came, each device has a line of what waits for it. */
import { OrderedQueue } from '../queues/ordered-queue.ts'
import type { Device, SchedulerState } from '../state.ts'

export function keepLine({ settings }: SchedulerState, device: Device): void {
  device.line = settings.queueOrder === 'arrival' ? new OrderedQueue() : null
}
