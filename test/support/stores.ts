/** A real store in a folder of its own, closed when the test has ended. */
import { onTestFinished } from 'vitest'
import { createEventLog, type EventLogLimits, type JobEventLog } from '../../src/store/job-events.ts'
import { type OpenedStore, openStore, type StoreOptions } from '../../src/store/open-store.ts'
import type { JobEvent, NewJob } from '../../src/store/records.ts'
import { dataFolder } from './data-folder.ts'
import { type StoredJobs, storedJobs } from './stored-jobs.ts'

export interface TestStore {
  readonly folder: string
  readonly store: OpenedStore
  readonly log: JobEventLog
  readonly jobs: StoredJobs
  /** Submits new jobs, which must be accepted. */
  readonly submit: (...jobs: readonly NewJob[]) => Promise<void>
  /** Closes it and opens the same folder again. */
  readonly reopen: () => Promise<TestStore>
}

export interface TestStoreOptions extends Partial<StoreOptions> {
  readonly limits?: Partial<EventLogLimits>
}

export async function testStore(options: TestStoreOptions = {}): Promise<TestStore> {
  const folder = options.folder ?? (await dataFolder())
  const { limits = {}, ...rest } = options
  const store = await openStore({ ...rest, folder })
  let closing: Promise<void> | null = null
  const close = () => (closing ??= store.close())
  onTestFinished(close)
  const log = createEventLog({ store, now: Date.now, limits })
  return {
    folder,
    store,
    log,
    jobs: await storedJobs(store),
    async submit(...jobs) {
      const outcome = await store.submitJobs(jobs)
      if (outcome.kind !== 'accepted') throw new Error(`Not accepted: ${JSON.stringify(outcome)}`)
      log.submitted(outcome)
    },
    async reopen() {
      await close()
      return testStore({ ...options, folder })
    },
  }
}

/** Reads until the iterator ends, or has given `count` events. */
export async function take(
  events: AsyncIterableIterator<JobEvent, undefined>,
  count = Number.POSITIVE_INFINITY,
): Promise<JobEvent[]> {
  const taken: JobEvent[] = []
  while (taken.length < count) {
    const { done, value } = await events.next()
    if (done) return taken
    taken.push(value)
  }
  await events.return?.()
  return taken
}
