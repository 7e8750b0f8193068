/** The one place that wires the parts together: settings in, a running server out. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Logger as Pino, pino } from 'pino'
import { Catalogue } from './app/catalogue.ts'
import { carryOutWith } from './app/carry-out.ts'
import type { AppContext } from './app/context.ts'
import { createApp } from './app/create-app.ts'
import { DeviceViews, type KnownDevice } from './app/device-views.ts'
import { Ids } from './app/ids.ts'
import { JobCommands } from './app/job-commands.ts'
import { LiveJobs } from './app/live-jobs.ts'
import { watchMemory } from './app/memory-watch.ts'
import { ModelEvents } from './app/model-events.ts'
import { monotonicClock } from './app/monotonic-clock.ts'
import { OpenSessions } from './app/open-sessions.ts'
import { FileRecorder } from './app/recorder.ts'
import { describeRecovery, recoverJobs } from './app/recovery.ts'
import { registerModels } from './app/register-models.ts'
import { watchIdleSessions } from './app/sessions.ts'
import { Shell } from './app/shell.ts'
import { shutDown } from './app/shut-down.ts'
import { keepSnapshots, openState } from './app/snapshots.ts'
import { TaskResults } from './app/task-results.ts'
import { taskForWorker } from './app/tasks-for-workers.ts'
import { WorkerReports } from './app/worker-reports.ts'
import { type Config, readConfig } from './config/config.ts'
import { cpuDevices } from './runtime/devices/cpu.ts'
import { discoverModels } from './runtime/models/discovery.ts'
import { Executor } from './runtime/executor.ts'
import { pythonWorker } from './runtime/workers/worker-command.ts'
import { createWorkerPool, type WorkerPool } from './runtime/workers/worker-pool.ts'
import { createDoors } from './server/doors.ts'
import { createEventLog } from './store/job-events.ts'
import { openStore } from './store/open-store.ts'

const project = fileURLToPath(new URL('..', import.meta.url))
/** Ended jobs whose rows stay in memory for who asks right afterwards. */
const endedJobsKept = 10_000

const config = readConfig(process.env)
const logger = pino({ level: config.HEARTH_LOG_LEVEL }, pino.destination({ fd: 2, sync: false }))
try {
  await main(config, logger)
} catch (error) {
  // What keeps a server from starting is for a person to read: one message, no stack.
  console.error(`Hearth cannot start: ${error instanceof Error ? error.message : String(error)}`)
  logger.debug({ error }, 'start failed')
  process.exit(1)
}

async function main(config: Config, logger: Pino): Promise<void> {
  const clock = monotonicClock()
  const startedAt = clock.now()
  const dataDir = resolve(config.HEARTH_DATA_DIR)
  const [store, found] = await Promise.all([
    openStore({ directory: dataDir, now: clock.now, writeQueueLimit: config.HEARTH_WRITE_QUEUE_LIMIT, logger }),
    discoverModels(config.HEARTH_MODEL_PATHS.map((path) => resolve(path)), dataDir),
  ])
  for (const { directory, problem } of found) if (problem !== null) logger.warn({ directory, problem }, 'model refused')

  const state = openState(store.opening, config)
  const recorder = config.HEARTH_RECORD === '' ? null : new FileRecorder(config.HEARTH_RECORD, state)
  const shell = new Shell(state, clock, recorder)
  const catalogue = new Catalogue()
  const context: AppContext = {
    config,
    clock,
    store,
    log: createEventLog({ store, now: clock.now }),
    catalogue,
    live: new LiveJobs(endedJobsKept),
    ids: new Ids(store.opening),
    sessions: new OpenSessions(store, await store.readSessions({ states: ['OPEN'] }, { first: Number.MAX_SAFE_INTEGER, beforeId: null })),
    shell,
  }
  const models = new ModelEvents(catalogue)
  const results = new TaskResults()
  const reports = new WorkerReports({ shell, clock, live: context.live, log: context.log, results, models, logger, giveCredit: (...credit) => pool.credit(...credit) })
  const pool: WorkerPool = createWorkerPool({ command: pythonWorker(pythonOf(config), join(project, 'python_runtime')), listener: reports, clock })
  const devices = await knownDevices(config, context)
  const executor = new Executor(pool, {
    placement: (id) => placementOn(devices, id, config),
    version: (id) => versionFacts(catalogue, id),
    task: (admission) => taskForWorker(context, admission),
  })
  const jobs = new JobCommands(context.live, context.log, results, (error) => crash(error, logger))
  shell.start(carryOutWith({ jobs, executor, models }))

  for (const { id, facts } of devices) shell.feed({ type: 'deviceAdded', device: { deviceId: id, name: facts.name, limitBytes: facts.limitBytes, coreCount: facts.coreCount } })
  for (const { spec } of await registerModels(store, catalogue, found, clock)) if (spec) shell.feed({ type: 'versionRegistered', version: spec })
  const recovered = await recoverJobs(context)
}
