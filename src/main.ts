/** The one place that wires the parts together: settings in, a running server out. */
import { existsSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Logger as Pino, pino } from 'pino'
import { Allocations } from './app/allocations.ts'
import { ArtifactUrls } from './app/artifact-urls.ts'
import { Artifacts } from './app/artifacts.ts'
import { carryOutWith } from './app/carry-out.ts'
import { Catalogue } from './app/catalogue.ts'
import { Checkpoints } from './app/checkpoints.ts'
import { monotonicClock } from './app/clock.ts'
import type { AppContext } from './app/context.ts'
import { createApp } from './app/create-app.ts'
import { Decisions } from './app/decisions.ts'
import { DeviceViews } from './app/device-views.ts'
import { watchDisk } from './app/disk-watch.ts'
import { EngineTrouble } from './app/engine-trouble.ts'
import { addFoundModels, findModels } from './app/find-models.ts'
import { HistoryKeeper, keepHistory } from './app/history.ts'
import { Ids } from './app/ids.ts'
import { JobCommands } from './app/job-commands.ts'
import { JobProgress } from './app/job-progress.ts'
import { knownDevices, placementOn } from './app/known-devices.ts'
import { LiveJobs } from './app/live-jobs.ts'
import { watchMemory } from './app/memory-watch.ts'
import { ModelEvents } from './app/model-events.ts'
import { ModelRegistry } from './app/model-registry.ts'
import { OpenSessions } from './app/open-sessions.ts'
import { readShownText } from './app/outputs/shown-text.ts'
import { Previews } from './app/previews.ts'
import { FileRecorder } from './app/recorder.ts'
import { countOf, describeRecovery, recoverJobs, reloadWanted } from './app/recovery.ts'
import { keepRetention } from './app/retention.ts'
import { reopenSessions, watchIdleSessions } from './app/sessions.ts'
import { Shell } from './app/shell.ts'
import { shutDown } from './app/shut-down.ts'
import { keepSnapshots, openState } from './app/snapshots.ts'
import { StartEstimates } from './app/start-estimates.ts'
import { TaskResults } from './app/task-results.ts'
import { taskForWorker } from './app/tasks-for-workers.ts'
import { ValidationCache } from './app/validation/validation-cache.ts'
import { type GiveCredit, WorkerReports } from './app/worker-reports.ts'
import { type Config, readConfig, unknownSettings } from './config/config.ts'
import { ArtifactFiles } from './runtime/artifacts/artifact-files.ts'
import { readSigningKey } from './runtime/artifacts/signing-key.ts'
import { cpuDevices } from './runtime/devices/cpu.ts'
import { Executor } from './runtime/executor.ts'
import { TensorMemory } from './runtime/memory/tensor-memory.ts'
import { DigestCache } from './runtime/models/digest-cache.ts'
import { pythonWorker, type WorkerCommand } from './runtime/workers/worker-command.ts'
import { defaultWorkerLimits, type WorkerLimits } from './runtime/workers/worker-limits.ts'
import { createWorkerPool, type WorkerPool } from './runtime/workers/worker-pool.ts'
import { createDoors } from './server/doors.ts'
import { createEventLog } from './store/job-events.ts'
import { openStore } from './store/open-store.ts'

const project = fileURLToPath(new URL('..', import.meta.url))
/** Ended jobs whose rows stay in memory for who asks right afterwards. */
const endedJobsKept = 10_000
const everySession = { first: Number.MAX_SAFE_INTEGER, beforeId: null }
const sameSignalMs = 500

const logOutput = pino.destination({ fd: 2, sync: false })
// A terminal or log collector that goes away is no reason to stop, least of all without draining.
const ignore = () => {}
process.stdout.on('error', ignore)
process.stderr.on('error', ignore)
logOutput.on('error', ignore)

try {
  await main()
} catch (error) {
  // What keeps a server from starting is for a person to read: one message, no stack.
  console.error(`Hearth cannot start: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const logger = pino({ level: config.HEARTH_LOG_LEVEL }, logOutput)
  for (const name of unknownSettings(process.env)) logger.warn({ name }, 'this setting is not known to this version')
  const clock = monotonicClock()
  const startedAt = clock.now()
  const folder = resolve(config.HEARTH_DATA_DIR)
  const onBroken = (error: unknown) => crash(error, logger)
  const store = await openStore({
    folder,
    queueLimit: config.HEARTH_WRITE_QUEUE_LIMIT,
    now: clock.now,
    onDeath: onBroken,
  })
  const modelFolders = config.HEARTH_MODEL_PATHS.map((path) => resolve(path))
  const digests = await DigestCache.open(join(folder, 'digests.json'))
  const [provider, found, openSessions] = await Promise.all([
    cpuDevices(config.HEARTH_DEVICES === '' ? null : resolve(config.HEARTH_DEVICES)),
    store.readRegistrations().then((registrations) => findModels(modelFolders, registrations, digests)),
    store.readSessions({ states: ['OPEN'] }, everySession),
  ])

  const { state, wanted, pins } = openState(store.opening, config, clock.now())
  const recorder =
    config.HEARTH_RECORD === ''
      ? null
      : new FileRecorder(config.HEARTH_RECORD, state, (err) => logger.error({ err }, 'the recording ended'))
  const shell = new Shell(state, clock, recorder, onBroken)
  const catalogue = new Catalogue()
  const log = createEventLog({ store, now: clock.now })
  const live = new LiveJobs(endedJobsKept)
  const sessions = new OpenSessions(store, openSessions)
  const ids = new Ids(store.opening)
  let origin = config.HEARTH_PUBLIC_URL
  const artifacts = new Artifacts({
    files: await ArtifactFiles.open(join(folder, 'artifacts')),
    urls: new ArtifactUrls(
      await readSigningKey(join(folder, 'artifact-key')),
      config.HEARTH_ARTIFACT_URL_SECONDS * 1000,
      () => origin,
    ),
    store,
    ids,
    clock,
    sizeBytesMax: config.HEARTH_MAX_ARTIFACT_BYTES,
    freeBytesMin: config.HEARTH_DISK_RESERVE_BYTES,
  })
  const models = new ModelEvents(catalogue)
  const allocations = new Allocations(store)
  const decisions = new Decisions(state, store)
  const history = new HistoryKeeper(state, allocations, store)
  const estimates = new StartEstimates()
  shell.onStepped(() => decisions.stepped())
  const registry = new ModelRegistry({
    store,
    catalogue,
    clock,
    shell,
    models,
    live,
    wanted,
    pins,
    digests,
    logger,
    folders: modelFolders,
    limits: { modelsMax: config.HEARTH_MODEL_LIMIT, checkMs: config.HEARTH_MODEL_CHECK_MS },
  })
  const context: AppContext = {
    config,
    clock,
    store,
    log,
    catalogue,
    live,
    ids,
    sessions,
    shell,
    wanted,
    pins,
    registry,
    artifacts,
    checkpoints: new Checkpoints(store, (err) => logger.error({ err }, 'a checkpoint could not be kept')),
    validation: validationCache(config),
  }

  const devices = await knownDevices(provider, store)
  const results = new TaskResults()
  const trouble = new EngineTrouble()
  const giveCredit: GiveCredit = (workerId, taskId, items) => pool.credit(workerId, taskId, items)
  const progress = new JobProgress()
  const previews = new Previews({
    artifacts,
    log,
    onFailed: (err) => logger.error({ err }, 'a preview could not be kept'),
  })
  const listener = new WorkerReports({
    shell,
    clock,
    live,
    log,
    results,
    progress,
    previews,
    checkpoints: context.checkpoints,
    catalogue,
    models,
    trouble,
    logger,
    giveCredit,
  })
  const memory = await tensorMemory(config, folder)
  // However this process ends by itself, its shared memory goes with it.
  process.once('exit', () => memory.abandon())
  const { problem } = memory.info()
  if (problem !== null) logger.warn({ problem }, 'no shared memory for large tensors')
  const pool: WorkerPool = createWorkerPool({
    command: workerCommand(config),
    listener,
    limits: workerLimits(config),
    memory,
    clock,
  })
  const executor = new Executor(pool, {
    placement: (id) => placementOn(devices, id, config.HEARTH_THREADS_PER_WORKER),
    version: (id) => catalogue.files(id),
    task: (admission) => taskForWorker(context, admission),
  })
  const jobs = new JobCommands({
    live,
    log,
    results,
    artifacts,
    checkpoints: context.checkpoints,
    progress,
    previews,
    readRequest: (id) => store.readRequest(id),
    readShownText: (id) => readShownText(store, id),
    isDone: (id, jobId) => state.jobs.get(jobId)?.tasks.find(({ taskId }) => taskId === id)?.state === 'done',
    inlineTensorBytesMax: config.HEARTH_INLINE_TENSOR_BYTES,
    onLost: onBroken,
  })
  shell.start(carryOutWith({ jobs, executor, models, allocations, registry, trouble, estimates, decisions, pins }))

  for (const { id, facts } of devices) {
    const { name, limitBytes, coreCount } = facts
    const { threads } = placementOn(devices, id, config.HEARTH_THREADS_PER_WORKER)
    const device = { deviceId: id, name, limitBytes, coreCount, workerThreads: threads }
    shell.feed({ type: 'deviceAdded', device })
  }
  for (const problem of found.problems) logger.warn({ problem }, 'model left out')
  await addFoundModels(registry, found)
  const recovered = await recoverJobs(context)
  await reloadWanted(context)
  reopenSessions(context)

  const recoveredJobs = countOf(recovered)
  const views = new DeviceViews(devices, state)
  const app = createApp({
    context,
    devices: views,
    models,
    allocations,
    decisions,
    history,
    estimates,
    trouble,
    pool,
    memory,
    results,
    previews,
    recoveredJobs,
    startedAt,
  })
  const running = new AbortController()
  await watchDisk(folder, artifacts, running.signal)
  const doors = createDoors({ app, config, logger })
  const { url } = await doors.listen()
  if (origin === '') origin = new URL(url).origin
  store.announce(url)

  watchMemory(provider, devices, pool, shell, running.signal)
  watchIdleSessions(context, running.signal)
  keepSnapshots(context, running.signal)
  keepHistory(history, running.signal, (err) => logger.error({ err }, 'decisions and allocations could not be kept'))
  keepRetention(context, running.signal, (err) => logger.error({ err }, 'old jobs and artifacts could not be deleted'))
  // Files that a crash left without a row. Nothing waits for this: what is put meanwhile is held.
  artifacts.files
    .sweep((contents) => store.findUnusedContents(contents))
    .catch((err: unknown) => logger.error({ err }, 'the files of artifacts could not be looked through'))
  void registry.watch(running.signal)
  onStopSignal(async () => {
    running.abort()
    await shutDown({
      context,
      pool,
      jobs,
      models,
      decisions,
      history,
      graceMs: config.HEARTH_SHUTDOWN_GRACE_MS,
      closeDoors: (ms) => doors.close(ms),
    })
    await memory.close()
    await recorder?.close()
  })

  const recovery = describeRecovery(recovered)
  if (recovery !== null) console.log(recovery)
  console.log(`Hearth is ready: ${url}`)
  // Written now, because a server that is killed would not write it at its end. Without NODE_COMPILE_CACHE there is nothing to write.
  flushCompileCache()
}

function validationCache(config: Config): ValidationCache {
  if (config.HEARTH_WITHOUT.includes('validation-cache')) return new ValidationCache(null)
  return new ValidationCache({
    entriesMax: config.HEARTH_VALIDATION_CACHE_ENTRIES,
    keptMs: config.HEARTH_VALIDATION_CACHE_MS,
  })
}

function workerCommand(config: Config): WorkerCommand {
  const python =
    config.HEARTH_WORKER_PYTHON === '' ? join(project, '.venv', 'bin', 'python') : config.HEARTH_WORKER_PYTHON
  if (!existsSync(python)) throw new Error(`There is no Python interpreter at ${python}. Run \`npm run setup\`.`)
  const command = pythonWorker(python, join(project, 'python_runtime'), {
    paths: config.HEARTH_PROGRAM_PATHS.map((path) => resolve(path)),
    reload: config.HEARTH_PROGRAM_RELOAD === 'on',
  })
  const environment = {
    ...command.environment,
    HEARTH_LOAD_BUFFER_BYTES: String(config.HEARTH_LOAD_BUFFER_BYTES),
    HEARTH_WITHOUT: config.HEARTH_WITHOUT.join(','),
  }
  return { ...command, environment }
}

function workerLimits(config: Config): WorkerLimits {
  const liveness = { ...defaultWorkerLimits.liveness, stepMsMax: config.HEARTH_STEP_MS_MAX }
  const pipelineDepth = config.HEARTH_WITHOUT.includes('pipelining') ? 1 : defaultWorkerLimits.pipelineDepth
  return { ...defaultWorkerLimits, liveness, pipelineDepth }
}

function tensorMemory(config: Config, folder: string): Promise<TensorMemory> {
  return TensorMemory.open({
    sharedMemory: config.HEARTH_WITHOUT.includes('slabs') ? null : config.HEARTH_SHARED_MEMORY_DIR,
    poolBytesMax: config.HEARTH_TENSOR_POOL_BYTES,
    transferFolder: join(folder, 'transfers'),
  })
}

/** The first signal ends the server in order, a second one at once. */
function onStopSignal(stop: () => Promise<void>): void {
  let firstAt: number | null = null
  const take = (signal: NodeJS.Signals) => {
    // A terminal's Ctrl-C comes twice: to this process, and handed on by the one that started it.
    if (firstAt !== null && performance.now() - firstAt < sameSignalMs) return
    if (firstAt !== null) process.exit(1)
    firstAt = performance.now()
    console.log(`${signal}: no new work is admitted; what runs may finish. A second signal ends Hearth at once.`)
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('Hearth could not stop in order:', error)
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, take)
}

/** A change that was decided and cannot be written: going on would contradict it. The next start recovers from what is written. */
function crash(error: unknown, logger: Pino): never {
  logger.fatal({ err: error }, 'this server cannot go on; the next start recovers')
  logger.flush()
  process.exit(70)
}
