/** Graphs of tasks that several tests use, and a place for them to run. */
import type { VersionSpec } from '../../../src/scheduler/events.ts'
import type { SchedulerSettings } from '../../../src/scheduler/settings.ts'
import { SchedulerUnderTest } from './scheduler-under-test.ts'

/** Two pictures: what `encode` makes is taken by both, and each of them goes on by itself. */
export const pictures = {
  encode: {},
  denoise1: { after: ['encode'] },
  denoise2: { after: ['encode'] },
  write1: { after: ['denoise1'], stage: 'postprocessing' },
  write2: { after: ['denoise2'], stage: 'postprocessing' },
} as const

/** One task whose output the next one takes. */
export const pair = { first: {}, second: { after: ['first'] } } as const

/** A version that is resident on each of so many devices. */
export function resident({ devices = 1, settings = {}, ...spec }: Options = {}) {
  const scheduler = new SchedulerUnderTest(settings)
  const deviceIds = Array.from({ length: devices }, () => scheduler.device())
  const version = scheduler.version({ batchLimit: 4, ...spec })
  for (const deviceId of deviceIds) scheduler.feed({ type: 'loadRequested', versionId: version, deviceId })
  scheduler.serve()
  return { scheduler, version, worker: scheduler.workerOf(version) }
}

type Options = Partial<VersionSpec> & { readonly devices?: number; readonly settings?: Partial<SchedulerSettings> }
