/** Tells the scheduler, now and then, how much memory of each device is used by others than Hearth. */
import type { KnownDevice } from './device-views.ts'
import type { Shell } from './shell.ts'

const everyMs = 5_000

/** Resolves when `signal` aborts. */
export function watchMemory(devices: readonly KnownDevice[], shell: Shell, signal: AbortSignal): Promise<void> {
  const measure = () => {
    for (const { id, facts } of devices) shell.feed({ type: 'deviceMeasured', deviceId: id, externalBytes: facts.measure().externalBytes })
  }
  const timer = setInterval(measure, everyMs)
  timer.unref()
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => {
      clearInterval(timer)
      resolve()
    }),
  )
}
