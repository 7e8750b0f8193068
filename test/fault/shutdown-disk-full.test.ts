import { expect, test } from 'vitest'
import { Allocations } from '../../src/app/allocations.ts'
import { Catalogue } from '../../src/app/catalogue.ts'
import { Checkpoints } from '../../src/app/checkpoints.ts'
import type { AppContext } from '../../src/app/context.ts'
import { Decisions } from '../../src/app/decisions.ts'
import { HistoryKeeper } from '../../src/app/history.ts'
import type { JobCommands } from '../../src/app/job-commands.ts'
import { LiveJobs } from '../../src/app/live-jobs.ts'
import { ModelEvents } from '../../src/app/model-events.ts'
import { Shell } from '../../src/app/shell.ts'
import { shutDown } from '../../src/app/shut-down.ts'
import { WantedModels } from '../../src/app/wanted-models.ts'
import { createWorkerPool } from '../../src/runtime/workers/worker-pool.ts'
import { createState } from '../../src/scheduler/core.ts'
import { defaultSettings } from '../../src/scheduler/settings.ts'
import { openStore } from '../../src/store/open-store.ts'
import { dataFolder } from '../support/data-folder.ts'
import { withoutSlabs } from '../support/real-pool.ts'
import { storedJobs } from '../support/stored-jobs.ts'
import { WorkerLog } from '../support/worker-log.ts'

/** Ends of jobs whose files are being written, as the end of a server sees them. */
class UnfinishedOutputs {
  finishing: number
  /** Of these, so many wait for room on the disk. */
  waiting: number
  readonly trouble = 'The disk is below its reserve.'
  closedWith: number | null = null

  constructor(finishing: number, waiting = 0) {
    this.finishing = finishing
    this.waiting = waiting
  }

  /** What waits for room is told that it will not come. */
  close(): void {
    this.closedWith = this.finishing
    this.finishing = 0
  }
}

async function parts(closeDoors: () => Promise<void>, outputs = new UnfinishedOutputs(0)) {
  const store = await openStore({ folder: await dataFolder() })
  const broken = (error: unknown): never => {
    throw error
  }
  const shell = new Shell(createState(defaultSettings, 1), { now: Date.now }, null, broken)
  shell.start(() => {})
  // All that the end of a server works with.
  const context = {
    store,
    shell,
    live: new LiveJobs(1),
    artifacts: outputs,
    wanted: new WantedModels([]),
    pins: new WantedModels([]),
    checkpoints: new Checkpoints(store, broken),
  } as unknown as AppContext
  const pool = createWorkerPool({
    command: { file: 'no-worker-is-started', arguments: [], environment: {} },
    memory: withoutSlabs(),
    listener: new WorkerLog(),
    clock: { now: Date.now },
  })
  return {
    store,
    ending: {
      context,
      pool,
      jobs: outputs as unknown as JobCommands,
      models: new ModelEvents(new Catalogue()),
      decisions: new Decisions(shell.state, store),
      history: new HistoryKeeper(shell.state, new Allocations(store), store),
      closeDoors,
      graceMs: 200,
    },
  }
}

test('a server that is asked to end while the disk is full ends, and says what could not be written', async () => {
  const { store, ending } = await parts(() => Promise.resolve())
  const jobs = await storedJobs(store)
  store.limitDatabase(store.metrics.databaseBytes)
  const lost = expect(store.submitJobs(jobs.many(500))).rejects.toThrow()
  await expect.poll(() => store.metrics.accepting, { timeout: 10_000 }).toBe(false)
  await expect(shutDown(ending)).rejects.toThrow(/500 rows that could not be committed: .*full/)
  await lost
})

test('a door that does not close in order keeps nothing from being written', async () => {
  const { store, ending } = await parts(() => Promise.reject(new Error('The door is stuck.')))
  await expect(shutDown(ending)).rejects.toThrow('The door is stuck.')
  await expect(store.readSession(1 as never)).rejects.toThrow(/closed/)
})

test('a result that is being written is waited for', async () => {
  const outputs = new UnfinishedOutputs(1)
  const { ending } = await parts(() => Promise.resolve(), outputs)
  setTimeout(() => {
    outputs.finishing = 0
  }, 50)
  await shutDown({ ...ending, graceMs: 20_000 })
  expect(outputs.closedWith).toBe(0)
})

test('a result that waits for room on a full disk is not, while another is written into the reserve', async () => {
  const outputs = new UnfinishedOutputs(2, 1)
  const { ending } = await parts(() => Promise.resolve(), outputs)
  const startedAt = performance.now()
  setTimeout(() => {
    outputs.finishing = 1
  }, 50)
  await shutDown({ ...ending, graceMs: 20_000 })
  expect(outputs.closedWith).toBe(1)
  expect(performance.now() - startedAt).toBeLessThan(10_000)
})
