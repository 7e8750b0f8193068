/** Tells the scheduler, now and then, how much memory of each device is used by others than Hearth. */
import type { DeviceProvider } from '../runtime/devices/provider.ts'
import type { WorkerPool } from '../runtime/workers/worker-pool.ts'
import type { KnownDevice } from './known-devices.ts'
import type { Shell } from './shell.ts'

const everyMs = 5_000

/** Ends with `signal`. */
export function watchMemory(
  provider: DeviceProvider,
  devices: readonly KnownDevice[],
  pool: WorkerPool,
  shell: Shell,
  signal: AbortSignal,
): void {
  const measure = () => {
    const workers = pool.describe()
    const measures = provider.measure((name) => {
      const device = devices.find(({ facts }) => facts.name === name)
      const own = workers.filter(({ deviceId }) => deviceId === device?.id)
      return own.reduce((sum, { privateBytes }) => sum + (privateBytes ?? 0), 0)
    })
    for (const [index, { id }] of devices.entries()) {
      const measured = measures[index]
      if (!measured) continue
      const { externalBytes, stallShare } = measured
      shell.feed({ type: 'deviceMeasured', deviceId: id, externalBytes, stallShare })
    }
  }
  const timer = setInterval(measure, everyMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer))
}
