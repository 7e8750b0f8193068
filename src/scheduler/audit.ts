/** What must hold over time: kept from the events and commands alone, as somebody outside the scheduler sees them. */
import type { Allocation, Command } from './commands.ts'
import type { DeviceSpec, SchedulerEvent, TaskReport } from './events.ts'
import type { AllocationId, DeviceId, JobId, TaskId, VersionId, WorkerId } from './ids.ts'

export class Audit {
  /** Problems found so far, in sentences. */
  readonly problems: string[] = []
  readonly #live = new Set<JobId>()
  readonly #ended = new Set<JobId>()
  readonly #attempts = new Map<JobId, number>()
  readonly #workerOf = new Map<TaskId, WorkerId>()
  readonly #workers = new Set<WorkerId>()
  readonly #devices = new Map<DeviceId, DeviceSpec>()
  readonly #allocations = new Map<AllocationId, Allocation>()
  readonly #versionOf = new Map<TaskId, VersionId>()
  /** Versions whose files are being read again, or are gone: nothing may load them. */
  readonly #unloadable = new Map<VersionId, 'checking' | 'gone'>()
  /** Models that a worker found stale, as `worker:version`: nothing may be admitted to them. */
  readonly #stale = new Set<string>()
  readonly #weightsShare: number
  #isDraining = false

  constructor({ weightsShare }: { readonly weightsShare: number }) {
    this.#weightsShare = weightsShare
  }

  /** Jobs that have not ended. */
  get unfinished(): ReadonlySet<JobId> {
    return this.#live
  }

  observe(event: SchedulerEvent, commands: readonly Command[]): void {
    this.#takeEvent(event)
    for (const command of commands) this.#takeCommand(command)
  }

  #takeEvent(event: SchedulerEvent): void {
    switch (event.type) {
      case 'jobsSubmitted':
      case 'jobsRecovered':
        for (const { jobId, tasks } of event.jobs) {
          if (!this.#ended.has(jobId)) this.#live.add(jobId)
          for (const { taskId, versionId } of tasks) this.#versionOf.set(taskId, versionId)
        }
        return
      case 'versionRegistered':
        this.#unloadable.delete(event.version.versionId)
        return
      case 'versionReplaced':
        this.#unloadable.set(event.versionId, 'gone')
        return
      case 'versionChecked':
        if (event.state === 'gone') this.#unloadable.set(event.versionId, 'gone')
        else if (this.#unloadable.get(event.versionId) === 'checking') this.#unloadable.delete(event.versionId)
        return
      case 'workerExited':
        this.#workers.delete(event.workerId)
        for (const [taskId, workerId] of this.#workerOf) if (workerId === event.workerId) this.#workerOf.delete(taskId)
        return
      case 'stepsReported':
        for (const report of event.reports) this.#takeReport(event.workerId, report)
        return
      case 'deviceAdded':
        this.#devices.set(event.device.deviceId, event.device)
        return
      case 'drainRequested':
        this.#isDraining = true
        return
      case 'serverRestarted':
        this.#workerOf.clear()
        this.#workers.clear()
        this.#allocations.clear()
        this.#unloadable.clear()
        this.#stale.clear()
        this.#isDraining = false
        return
      default:
        return
    }
  }

  #takeReport(workerId: WorkerId, report: TaskReport): void {
    const { kind, taskId } = report
    if (kind === 'started' || kind === 'step' || this.#workerOf.get(taskId) !== workerId) return
    this.#workerOf.delete(taskId)
    if (kind === 'failed' && report.code === 'stale_model')
      this.#stale.add(`${workerId}:${this.#versionOf.get(taskId)}`)
  }

  #takeCommand(command: Command): void {
    switch (command.type) {
      case 'spawnWorker':
        this.#expect(!this.#isDraining, `Worker ${command.workerId} is started while the server stops.`)
        this.#expect(!this.#workers.has(command.workerId), `Worker ${command.workerId} is started twice.`)
        this.#workers.add(command.workerId)
        return
      case 'load':
        this.#expect(!this.#isDraining, `Version ${command.versionId} is loaded while the server stops.`)
        this.#expect(
          !this.#unloadable.has(command.versionId),
          `Version ${command.versionId} is loaded and is ${this.#unloadable.get(command.versionId)}.`,
        )
        this.#stale.delete(`${command.workerId}:${command.versionId}`)
        this.#expectWorker(command.workerId, command.type)
        return
      case 'admit':
        this.#expect(!this.#isDraining, `Worker ${command.workerId} is given tasks while the server stops.`)
        this.#expectWorker(command.workerId, command.type)
        for (const { taskId, jobId, attempt } of command.tasks) {
          this.#expect(
            !this.#workerOf.has(taskId),
            `Task ${taskId} is admitted to worker ${command.workerId} and is at worker ${this.#workerOf.get(taskId)}.`,
          )
          this.#expect(
            !this.#stale.has(`${command.workerId}:${this.#versionOf.get(taskId)}`),
            `Task ${taskId} is admitted to worker ${command.workerId}, whose model is stale.`,
          )
          this.#expectLive(jobId, command.type)
          this.#takeAttempt(jobId, attempt, false)
          this.#workerOf.set(taskId, command.workerId)
        }
        return
      case 'withdraw':
      case 'cancelTasks':
      case 'unload':
      case 'setPolicy':
      case 'stopWorker':
      case 'pauseTasks':
      case 'resumeTasks':
      case 'releaseOutputs':
      case 'grantLease':
      case 'revokeLease':
        return this.#expectWorker(command.workerId, command.type)
      case 'checkVersion':
        this.#expect(
          !this.#unloadable.has(command.versionId),
          `Version ${command.versionId} is to be checked and is ${this.#unloadable.get(command.versionId)}.`,
        )
        this.#unloadable.set(command.versionId, 'checking')
        return
      case 'jobLoading':
      case 'jobStarted':
        this.#expectLive(command.jobId, command.type)
        return this.#takeAttempt(command.jobId, command.attempt, false)
      case 'jobPaused':
      case 'jobResumed':
      case 'jobPostprocessing':
        return this.#expectLive(command.jobId, command.type)
      case 'jobRequeued':
        this.#expectLive(command.jobId, command.type)
        return this.#takeAttempt(command.jobId, command.attempt, true)
      case 'jobSucceeded':
      case 'jobFailed':
      case 'jobCancelled':
        this.#expectLive(command.jobId, command.type)
        this.#live.delete(command.jobId)
        this.#ended.add(command.jobId)
        return
      case 'allocationChanged':
        return this.#takeAllocation(command.allocation)
      case 'residencyChanged':
      case 'residencyEnded':
      case 'setTimer':
        return
      default:
        return command satisfies never
    }
  }

  /** What is measured may exceed a limit; what is promised never does. */
  #takeAllocation(allocation: Allocation): void {
    const { allocationId, deviceId, state } = allocation
    if (state === 'released' || state === 'rolled_back') {
      this.#expect(this.#allocations.delete(allocationId), `Allocation ${allocationId} is given back twice.`)
      return
    }
    this.#allocations.set(allocationId, allocation)
    if (state !== 'reserved') return
    const here = [...this.#allocations.values()].filter((other) => other.deviceId === deviceId)
    const bytes = (of: readonly Allocation[]) => of.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const limitBytes = this.#devices.get(deviceId)?.limitBytes ?? 0
    this.#expect(bytes(here) <= limitBytes, `Device ${deviceId} promises more memory than it has.`)
    if (allocation.purpose !== 'weights') return
    const weights = bytes(here.filter(({ purpose }) => purpose === 'weights'))
    this.#expect(
      weights <= this.#weightsShare * limitBytes,
      `Device ${deviceId} promises more to weights than their share.`,
    )
  }

  /** Attempts begin with 1 and rise by one with each requeue, and at no other time. */
  #takeAttempt(jobId: JobId, attempt: number, isNew: boolean): void {
    const before = this.#attempts.get(jobId)
    const expected = before === undefined ? (isNew ? attempt : 1) : isNew ? before + 1 : before
    this.#expect(attempt === expected, `Job ${jobId} is in attempt ${attempt}, expected ${expected}.`)
    this.#attempts.set(jobId, attempt)
  }

  #expectLive(jobId: JobId, what: string): void {
    this.#expect(
      this.#live.has(jobId),
      `${what} speaks of job ${jobId}, which ${this.#ended.has(jobId) ? 'has ended' : 'was never submitted'}.`,
    )
  }

  #expectWorker(workerId: WorkerId, what: string): void {
    this.#expect(this.#workers.has(workerId), `${what} speaks to worker ${workerId}, which is not there.`)
  }

  #expect(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(problem)
  }
}
