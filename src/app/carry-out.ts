/** One exhaustive switch from what the scheduler wants to who does it. */
import type { Executor } from '../runtime/executor.ts'
import type { Command, Residency } from '../scheduler/commands.ts'
import type { DecisionKind } from '../scheduler/explain/decisions.ts'
import type { Allocations } from './allocations.ts'
import type { Decisions } from './decisions.ts'
import type { EngineTrouble } from './engine-trouble.ts'
import type { JobCommands } from './job-commands.ts'
import type { ModelEvents } from './model-events.ts'
import type { ModelRegistry } from './model-registry.ts'
import type { CarryOut } from './shell.ts'
import type { StartEstimates } from './start-estimates.ts'
import type { WantedModels } from './wanted-models.ts'

type Ended = Extract<Command, { readonly type: 'residencyEnded' }>

export function carryOutWith(doers: {
  readonly jobs: JobCommands
  readonly executor: Executor
  readonly models: ModelEvents
  readonly allocations: Allocations
  readonly registry: ModelRegistry
  readonly trouble: EngineTrouble
  readonly estimates: StartEstimates
  readonly decisions: Decisions
  readonly pins: WantedModels
}): CarryOut {
  const { jobs, executor, models, allocations, registry, trouble, estimates, decisions, pins } = doers
  const whyChanged = ({ versionId, deviceId, state }: Residency) => {
    if (state === 'resident') return null
    const kinds: DecisionKind[] = state === 'loading' ? ['LOAD', 'PREFETCH'] : ['EVICT']
    return decisions.latest({ kinds, versionIds: [versionId], deviceId })
  }
  const whyEnded = ({ versionId, deviceId, reason }: Ended) =>
    reason === 'worker_lost' || reason === 'load_failed'
      ? null
      : decisions.latest({ kinds: ['EVICT'], versionIds: [versionId], deviceId })
  return (command, now) => {
    switch (command.type) {
      case 'jobStarted':
        estimates.started(command.jobId, now)
        return jobs.carryOut(command, now)
      case 'jobPaused':
      case 'jobFailed':
      case 'jobCancelled':
        estimates.forget(command.jobId)
        return jobs.carryOut(command, now)
      case 'jobLoading':
      case 'jobRequeued':
      case 'jobResumed':
      case 'jobPostprocessing':
      case 'jobSucceeded':
        return jobs.carryOut(command, now)
      case 'spawnWorker':
        trouble.starting(command.workerId)
        return executor.carryOut(command)
      case 'killWorker':
      case 'stopWorker':
      case 'load':
      case 'unload':
      case 'setPolicy':
      case 'admit':
      case 'withdraw':
      case 'cancelTasks':
      case 'pauseTasks':
      case 'resumeTasks':
      case 'releaseOutputs':
      case 'grantLease':
      case 'revokeLease':
        return executor.carryOut(command)
      case 'checkVersion':
        // The answer comes as an event, whatever becomes of the reading.
        void registry.check(command.versionId)
        return
      case 'residencyChanged':
        return models.changed(command.residency, now, whyChanged(command.residency))
      case 'residencyEnded':
        return models.ended(command.residencyId, command.versionId, now, whyEnded(command))
      case 'allocationChanged':
        return allocations.changed(command.allocation, now)
      case 'pinDropped':
        return pins.dropOne(command.versionId, command.deviceId)
      // The shell's own.
      case 'setTimer':
        return
      default:
        return command satisfies never
    }
  }
}
