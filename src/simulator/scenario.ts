/** A world to run the scheduler in, drawn from a seed: devices, models, jobs and what goes wrong. Times in milliseconds, sizes in bytes. */
import type { DeviceSpec, JobSpec, TaskSpec, VersionSpec } from '../scheduler/events.ts'
import type { DeviceId, JobId, TaskId, VersionId } from '../scheduler/ids.ts'
import { defaultSettings, type SchedulerSettings } from '../scheduler/settings.ts'
import type { Random } from './random.ts'
import type { TaskNature } from './worker-model.ts'

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
  readonly restartGapMs: number
  readonly cancelGapMs: number
  readonly unloadGapMs: number
  readonly loadGapMs: number
  readonly externalGapMs: number
  readonly fileGapMs: number
  readonly spawnFails: number
  readonly loadFails: number
  readonly loadKills: number
  readonly loadIsSlow: number
  readonly taskIsPoison: number
  readonly taskFails: number
}

const mib = 1024 * 1024
const engines = ['onnx', 'llama_cpp'] as const

/** `faults`: those that are to be as given, whatever is drawn. */
export function drawScenario(random: Random, faults: Partial<Faults> = {}): Scenario {
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
    submissionGapMs: random.between(10, 120),
    untilMs: 2_000,
    settings: drawSettings(random),
    faults: {
      killGapMs: often(800),
      restartGapMs: often(2_500),
      cancelGapMs: often(150),
      unloadGapMs: often(900),
      loadGapMs: often(900),
      externalGapMs: often(700),
      fileGapMs: often(300),
      spawnFails: sometimes(0.4),
      loadFails: sometimes(0.5),
      loadKills: sometimes(0.3),
      loadIsSlow: sometimes(0.3),
      taskIsPoison: sometimes(0.06),
      taskFails: sometimes(0.15),
      ...faults,
    },
  }
}

/** Patience is short, so that what needs it comes to pass in a short run. */
function drawSettings(random: Random): SchedulerSettings {
  return {
    ...defaultSettings,
    admitAheadFactor: random.whole(1, 3),
    sparesPerEngine: random.whole(0, 2),
    yieldAfterMs: { interactive: random.between(50, 500), batch: random.between(200, 2_000) },
    decisionRingSize: 100,
  }
}

function drawVersion(random: Random, versionId: VersionId): VersionSpec {
  return {
    versionId,
    modelName: `model-${versionId}`,
    engine: random.pick(engines),
    weightsBytes: random.whole(20, 400) * mib,
    workingBytes: random.whole(1, 120) * mib,
    batchLimit: random.whole(1, 8),
    holdMs: random.chance(0.3) ? random.whole(1, 10) : 0,
    interruptAfterMs: 5,
    componentBytes: [mib],
    componentNames: ['model'],
  }
}

/** Some devices hold all models at once, some only one at a time, a few not even the largest. */
function drawDevice(random: Random, deviceId: DeviceId, largestBytes: number): DeviceSpec {
  const limitBytes = Math.round(largestBytes * random.between(0.9, 4) + 300 * mib)
  return { deviceId, name: `device-${deviceId}`, limitBytes, coreCount: random.whole(1, 4) }
}

/** One to three tasks; several form a chain or a fork. */
export function drawJob(
  random: Random,
  scenario: Scenario,
  jobId: JobId,
  now: number,
): { spec: JobSpec; natures: ReadonlyMap<TaskId, TaskNature> } {
  const natures = new Map<TaskId, TaskNature>()
  const tasks: TaskSpec[] = []
  const count = random.chance(0.8) ? 1 : random.whole(2, 3)
  const { versionId } = random.pick(scenario.versions)
  for (let index = 0; index < count; index += 1) {
    const taskId = (jobId * 10 + index) as TaskId
    const after = tasks.filter(() => random.chance(0.7)).map((task) => task.taskId)
    tasks.push({ taskId, versionId, after, stage: 'inference', isHeld: false, components: [0] })
    natures.set(taskId, drawNature(random, scenario.faults, versionId))
  }
  const spec: JobSpec = {
    jobId,
    sessionId: null,
    class: random.chance(0.6) ? 'interactive' : 'batch',
    submittedAt: now,
    deadlineAt: random.chance(0.1) ? now + random.between(5, 3_000) : null,
    tasks,
  }
  return { spec, natures }
}

function drawNature(random: Random, faults: Faults, versionId: VersionId): TaskNature {
  const steps = random.whole(1, 8)
  return {
    versionId,
    steps,
    poisonStep: random.chance(faults.taskIsPoison) ? random.whole(1, steps) : null,
    failuresLeft: random.chance(faults.taskFails) ? random.whole(1, 7) : 0,
    failure: random.pick(['engine_error', 'engine_error', 'out_of_memory', 'invalid_request']),
  }
}
