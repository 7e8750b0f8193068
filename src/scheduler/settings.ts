/** The limits and rates of the scheduler. Every one is a setting; these are the defaults. Times in milliseconds, sizes in bytes. */
import { type BatchingSettings, defaultBatching } from './batching/settings.ts'
import type { PriorityClass } from './events.ts'
import { defaultEviction, type EvictionSettings } from './eviction/settings.ts'
import { defaultRouting, type RoutingSettings } from './placement/policies/settings.ts'
import { defaultPressure, type PressureSettings } from './pressure/levels.ts'

export const routingNames = [
  'ect',
  'round-robin',
  'wrr',
  'least-loaded',
  'affinity',
  'capacity',
  'performance',
  'complexity',
  'adaptive',
] as const
export type RoutingName = (typeof routingNames)[number]

export interface SchedulerSettings extends EvictionSettings, RoutingSettings {
  /** A worker is given this many times the batch limit of a version, so that it never waits for the server between steps. */
  readonly admitAheadFactor: number
  /** Share of a device's limit that weights may fill; activations and KV caches may use the rest too. */
  readonly weightsShare: number
  /** Failed attempts that count after which a job fails. */
  readonly attemptLimit: number
  /** Deaths of a worker in which a job was alone, after which it is not tried again. */
  readonly quarantineDeaths: number
  /** A worker may die before it has reported what it had started: a task found admitted in so many such deaths is tried alone. */
  readonly unstartedDeathLimit: number
  /** Processes kept started without a model, per engine. */
  readonly sparesPerEngine: number
  /** Wait before the first, second, ... restart of workers that die one after the other without having done anything; the last one repeats. */
  readonly restartBackoffMs: readonly number[]
  /** After so many deaths in a row the circuit opens: nothing is started there for the first, second, ... of these times; the last one repeats. */
  readonly circuitDeaths: number
  readonly circuitBackoffMs: readonly number[]
  /** Half of what it usually gets, once a first task has ended well there again. */
  readonly circuitRecoveryMs: number
  /** A step that computes may last so many times what is usual, once so many were seen; of a task whose worker died, so many times that and so long. */
  readonly stepPatience: number
  readonly stepsUntilPatienceIsKnown: number
  readonly suspectPatience: number
  readonly suspectStepMsMin: number
  /** Engines that compose their own batches: from how long they took before, nothing follows for the next prompt. */
  readonly selfBatchingEngines: readonly string[]
  /** A worker that has served so many tasks is replaced when it is idle or grows by so much, and at the latest after so many more. */
  readonly recycleAfterTasks: number
  readonly recycleGrowthBytesPerMinute: number
  readonly recycleAtLatestAfterTasks: number
  /** Deaths further apart than this do not follow each other. */
  readonly restartCalmMs: number
  /** Failed loads of a version after which the jobs that wait for it fail. */
  readonly loadAttemptLimit: number
  /** Wait after the first, second, ... failed load. */
  readonly loadBackoffMs: readonly number[]
  /** Times in a row that a version's files may have to be read again, and that a job may lose an attempt to it; then they fail. */
  readonly staleLimit: number
  /** Wait before the load after the first, second, ... time in a row; the last one repeats. */
  readonly staleBackoffMs: readonly number[]
  /** Private memory of a worker process without a model, until an engine has been measured. */
  readonly runtimeBytes: number
  /** Changes of measured memory below this are not worth a change of the ledger. */
  readonly measureGrainBytes: number
  /** How long a version waits for memory that busy models hold, until one of them is asked to make room. */
  readonly yieldAfterMs: Readonly<Record<PriorityClass, number>>
  /**
   * Who chooses the device of a job. ect: estimated completion time, with late binding. For every other one a job is bound to a device when it comes.
   */
  readonly routing: RoutingName
  /** arrival: jobs are served strictly in the order in which they came. residency: those of models that are there may go before others, within limits. */
  readonly queueOrder: 'arrival' | 'residency'
  /** Jobs that may go before one whose model is not there, until its model is loaded next; more where more devices serve them. */
  readonly overtakingLimit: number
  /** How long a wait makes room among models with work, in load times of the model that waits. */
  readonly yieldAfterLoads: Readonly<Record<PriorityClass, number>>
  /** A load for batch work evicts no model that interactive work has used within this time. */
  readonly interactiveHoldMs: number
  /** What is evicted is missed for this long: requests of so much time would have to wait for its load. */
  readonly evictionHorizonMs: number
  /** How often it is looked at which models should move to faster devices; 0 = never. */
  readonly migrationIntervalMs: number
  /** Devices are looked at one by one while there are no more of them; else some are drawn. */
  readonly exactDevices: number
  /** Where there are more, how often it is looked for workers and spares that are missing. */
  readonly staffingIntervalMs: number
  /** Until anything has been measured. */
  readonly guessedExecMs: number
  /** What waits goes ahead when no more is left until its deadline, and twice the time that it takes. */
  readonly deadlineLeadMs: number
  /** Of one unit of work that a request announces. */
  readonly guessedUnitMs: number
  readonly guessedLoadMsPerByte: number
  readonly batching: BatchingSettings
  /** How long a job waits that found too little memory, the first, second, ... time that nothing else is left to do about it; then it fails. */
  readonly memoryPausesMs: readonly number[]
  readonly pressure: PressureSettings
  /** Versions of which is kept what was learnt, those that are not registered any more included. */
  readonly learntVersionsMax: number
  /** Weight of the newest value in a learnt mean. */
  readonly learningRate: number
  /** Steps between two checkpoints of a task; 0 = never. */
  readonly checkpointSteps: number
  /** Share of a worker's time that inference gets at least while postprocessing has work too. */
  readonly inferenceShare: number
  /** Share of the devices that take interactive work only. */
  readonly interactiveDeviceShare: number
  /** A model that batch work has waited for so long is loaded as if interactive work waited for it. */
  readonly batchAgeingMs: number
  /** How long a job that had to make way for interactive work stays paused: from the least to the most, as experience teaches. */
  readonly preemptionHoldMsMin: number
  readonly preemptionHoldMsMax: number
  /** A job that has made way so often does so no more. */
  readonly preemptionLimit: number
  /** While interactive work holds the lease of a device, batch work gets it for `batchSliceMs` in every `leaseSliceMs`. */
  readonly leaseSliceMs: number
  readonly batchSliceMs: number
  /** Decisions kept for questions. */
  readonly decisionRingSize: number
}

const mib = 1024 * 1024

export const defaultSettings: SchedulerSettings = {
  ...defaultEviction,
  ...defaultRouting,
  admitAheadFactor: 2,
  weightsShare: 0.8,
  attemptLimit: 5,
  quarantineDeaths: 2,
  unstartedDeathLimit: 2,
  sparesPerEngine: 1,
  restartBackoffMs: [0, 100],
  circuitDeaths: 3,
  circuitBackoffMs: [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000],
  circuitRecoveryMs: 60_000,
  stepPatience: 4,
  stepsUntilPatienceIsKnown: 20,
  suspectPatience: 8,
  suspectStepMsMin: 60_000,
  selfBatchingEngines: ['llama_cpp'],
  recycleAfterTasks: 1000,
  recycleGrowthBytesPerMinute: mib,
  recycleAtLatestAfterTasks: 100_000,
  restartCalmMs: 30_000,
  loadAttemptLimit: 3,
  loadBackoffMs: [200, 1000],
  staleLimit: 5,
  staleBackoffMs: [0, 200, 1000],
  runtimeBytes: 96 * mib,
  measureGrainBytes: mib,
  yieldAfterMs: { interactive: 1_000, batch: 10_000 },
  routing: 'ect',
  queueOrder: 'residency',
  overtakingLimit: 64,
  yieldAfterLoads: { interactive: 1, batch: 4 },
  interactiveHoldMs: 3_600_000,
  evictionHorizonMs: 60_000,
  migrationIntervalMs: 10_000,
  exactDevices: 64,
  staffingIntervalMs: 100,
  guessedExecMs: 1000,
  deadlineLeadMs: 1000,
  guessedUnitMs: 10,
  guessedLoadMsPerByte: 1e-6,
  batching: defaultBatching,
  memoryPausesMs: [200, 1000, 3000],
  pressure: defaultPressure,
  learntVersionsMax: 4000,
  learningRate: 0.2,
  checkpointSteps: 5,
  inferenceShare: 0.3,
  interactiveDeviceShare: 0,
  batchAgeingMs: 60_000,
  preemptionHoldMsMin: 250,
  preemptionHoldMsMax: 5000,
  preemptionLimit: 5,
  leaseSliceMs: 1000,
  batchSliceMs: 50,
  decisionRingSize: 10_000,
}
