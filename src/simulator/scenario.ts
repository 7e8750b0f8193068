/** A world to run the scheduler in, drawn from a seed: devices, models, jobs and what goes wrong. Times in milliseconds, sizes in bytes. */
import type { DeviceSpec, VersionSpec } from '../scheduler/events.ts'
import { evictionNames } from '../scheduler/eviction/policies/policies.ts'
import type { DeviceId, VersionId } from '../scheduler/ids.ts'
import { defaultSettings, routingNames, type SchedulerSettings } from '../scheduler/settings.ts'
import type { Random } from './random.ts'

export interface Scenario {
  readonly devices: readonly DeviceSpec[]
  readonly versions: readonly VersionSpec[]
  readonly stepMs: ReadonlyMap<VersionId, number>
  readonly loadMs: ReadonlyMap<VersionId, number>
  readonly faults: Faults
  readonly settings: SchedulerSettings
  /** Mean gap between submissions. */
  readonly submissionGapMs: number
  /** Submissions and faults end; what is left must come to its end without them. */
  readonly untilMs: number
}

/** Mean gaps between faults of a kind, and probabilities; Infinity and 0 = never. */
export interface Faults {
  readonly killGapMs: number
  readonly hangGapMs: number
  readonly slowGapMs: number
  /** Nothing gets through between the server and a worker. */
  readonly cutGapMs: number
  readonly deviceGapMs: number
  readonly clockGapMs: number
  readonly restartGapMs: number
  readonly cancelGapMs: number
  readonly pauseGapMs: number
  readonly unloadGapMs: number
  readonly loadGapMs: number
  readonly pinGapMs: number
  readonly hintGapMs: number
  readonly externalGapMs: number
  readonly fileGapMs: number
  readonly spawnFails: number
  readonly loadFails: number
  readonly loadKills: number
  readonly loadIsSlow: number
  readonly taskIsPoison: number
  readonly taskFails: number
  readonly outputIsLost: number
}

const mib = 1024 * 1024
const engines = ['onnx', 'llama_cpp'] as const

/** `faults` and `settings`: those that are to be as given, whatever is drawn. */
export function drawScenario(
  random: Random,
  faults: Partial<Faults> = {},
  settings: Partial<SchedulerSettings> = {},
): Scenario {
  const versions = Array.from({ length: random.whole(1, 5) }, (_, index) =>
    drawVersion(random, (index + 1) as VersionId),
  )
  const largest = Math.max(...versions.map(({ weightsBytes }) => weightsBytes))
  const devices = Array.from({ length: random.whole(1, 3) }, (_, index) =>
    drawDevice(random, (index + 1) as DeviceId, largest),
  )
  const isHarsh = random.chance(0.7)
  const often = (meanMs: number) =>
    isHarsh && random.chance(0.7) ? meanMs * random.between(0.5, 4) : Number.POSITIVE_INFINITY
  const sometimes = (most: number) => (isHarsh && random.chance(0.5) ? random.between(0, most) : 0)
  return {
    devices,
    versions,
    stepMs: new Map(versions.map(({ versionId }) => [versionId, random.between(0.5, 60)])),
    loadMs: new Map(versions.map(({ versionId }) => [versionId, random.between(20, 900)])),
    submissionGapMs: random.between(15, 150),
    untilMs: 2_000,
    settings: { ...drawSettings(random), ...settings },
    faults: {
      killGapMs: often(800),
      hangGapMs: often(1_500),
      slowGapMs: often(600),
      cutGapMs: often(1_000),
      deviceGapMs: often(1_500),
      clockGapMs: often(500),
      restartGapMs: often(2_500),
      cancelGapMs: often(150),
      pauseGapMs: often(40),
      unloadGapMs: often(900),
      loadGapMs: often(900),
      pinGapMs: often(900),
      hintGapMs: often(300),
      externalGapMs: often(700),
      fileGapMs: often(300),
      spawnFails: sometimes(0.4),
      loadFails: sometimes(0.5),
      loadKills: sometimes(0.3),
      loadIsSlow: sometimes(0.3),
      taskIsPoison: sometimes(0.06),
      taskFails: sometimes(0.15),
      outputIsLost: sometimes(0.1),
      ...faults,
    },
  }
}

/** Patience is short, so that what needs it comes to pass in a short run. */
function drawSettings(random: Random): SchedulerSettings {
  return {
    ...defaultSettings,
    eviction: random.pick(evictionNames),
    routing: random.chance(0.5) ? 'ect' : random.pick(routingNames),
    queueOrder: random.chance(0.7) ? 'residency' : 'arrival',
    exactDevices: random.chance(0.8) ? 64 : 1,
    overtakingLimit: random.whole(2, 64),
    migrationIntervalMs: random.pick([100, 10_000]),
    admitAheadFactor: random.whole(1, 3),
    sparesPerEngine: random.whole(0, 2),
    circuitRecoveryMs: random.between(50, 1_000),
    recycleAfterTasks: random.pick([5, 20, 1_000]),
    recycleAtLatestAfterTasks: random.pick([10, 40]),
    yieldAfterMs: { interactive: random.between(50, 500), batch: random.between(200, 2_000) },
    checkpointSteps: random.whole(0, 3),
    leaseSliceMs: random.between(50, 300),
    batchSliceMs: random.between(5, 40),
    decisionRingSize: 100,
  }
}

function drawVersion(random: Random, versionId: VersionId): VersionSpec {
  const components = Array.from({ length: random.whole(1, 4) }, (_, index) => index)
  return {
    versionId,
    modelName: `model-${versionId}`,
    engine: random.pick(engines),
    weightsBytes: random.whole(20, 400) * mib,
    workingBytes: random.whole(1, 120) * mib,
    batchLimit: random.whole(1, 8),
    holdMs: random.chance(0.3) ? random.whole(1, 10) : 0,
    interruptAfterMs: 5,
    componentBytes: components.map(() => random.whole(1, 100) * mib),
    componentNames: components.map((component) => `component-${component}`),
  }
}

/** Some devices hold all models at once, some only one at a time, a few not even the largest. */
function drawDevice(random: Random, deviceId: DeviceId, largestBytes: number): DeviceSpec {
  const limitBytes = Math.round(largestBytes * random.between(0.9, 4) + 300 * mib)
  const coreCount = random.whole(1, 4)
  return { deviceId, name: `device-${deviceId}`, limitBytes, coreCount, workerThreads: coreCount }
}
