/** Jobs of a simulated world: most of one task, some a small graph at random, some the graph of a picture in several copies. */
import type { JobSpec, TaskSpec, TaskStage, VersionSpec } from '../scheduler/events.ts'
import type { JobId, Millis, SessionId, TaskId, UserId } from '../scheduler/ids.ts'
import type { TaskNature } from './modelled-task.ts'
import type { Random } from './random.ts'
import type { Faults, Scenario } from './scenario.ts'

export interface DrawnJob {
  readonly spec: JobSpec
  readonly natures: ReadonlyMap<TaskId, TaskNature>
}

/** A task before it has numbers: `after` are places in the list of all. */
interface Sketch {
  readonly node: string
  readonly after: readonly number[]
  readonly stage: TaskStage
  readonly steps: number
}

const mib = 1024 * 1024
const tasksPerJobMax = 100

export function drawJob(random: Random, scenario: Scenario, jobId: JobId, now: Millis): DrawnJob {
  const version = random.pick(scenario.versions)
  const sketches = drawSketches(random)
  const natures = new Map<TaskId, TaskNature>()
  const idOf = (place: number) => (jobId * tasksPerJobMax + place) as TaskId
  const tasks = sketches.map((sketch, place): TaskSpec => {
    const nature = drawNature(random, scenario.faults, version, sketch)
    natures.set(idOf(place), nature)
    return {
      taskId: idOf(place),
      versionId: version.versionId,
      after: sketch.after.map(idOf),
      stage: sketch.stage,
      isHeld: sketches.some(({ after }) => after.includes(place)) && random.chance(0.95),
      components: nature.components,
    }
  })
  const user = random.whole(0, 3)
  const session = user === 0 ? 0 : random.whole(0, 4)
  const spec: JobSpec = {
    jobId,
    userId: user === 0 ? null : (user as UserId),
    sessionId: session === 0 ? null : (session as SessionId),
    weight: session === 1 ? 3 : 1,
    work: sketches.reduce((sum, { steps }) => sum + steps, 0),
    class: random.chance(0.6) ? 'interactive' : 'batch',
    submittedAt: now,
    deadlineAt: random.chance(0.1) ? now + random.between(5, 3_000) : null,
    tasks,
  }
  return { spec, natures }
}

function drawSketches(random: Random): Sketch[] {
  const kind = random.fraction()
  if (kind < 0.85) return [{ node: 'only', after: [], stage: 'inference', steps: random.whole(1, 8) }]
  return kind < 0.93 ? sketchGraph(random) : sketchPictures(random, random.whole(1, 3))
}

/** Two or three tasks; a chain, a fork, or side by side. */
function sketchGraph(random: Random): Sketch[] {
  const places = Array.from({ length: random.whole(2, 3) }, (_, place) => place)
  return places.map((place) => ({
    node: `node-${place}`,
    after: places.slice(0, place).filter(() => random.chance(0.7)),
    stage: random.chance(0.7) ? 'inference' : 'postprocessing',
    steps: random.whole(1, 4),
  }))
}

/** encode, and of each picture: denoise, decode, then check beside upscale and write. */
function sketchPictures(random: Random, count: number): Sketch[] {
  const steps = random.whole(2, 8)
  const sketches: Sketch[] = [{ node: 'encode', after: [], stage: 'inference', steps: 1 }]
  for (let picture = 0; picture < count; picture += 1) {
    const first = sketches.length
    sketches.push(
      { node: 'denoise', after: [0], stage: 'inference', steps },
      { node: 'decode', after: [first], stage: 'inference', steps: 1 },
      { node: 'check', after: [first + 1], stage: 'postprocessing', steps: 1 },
      { node: 'upscale', after: [first + 1], stage: 'postprocessing', steps: random.whole(1, 2) },
      { node: 'write', after: [first + 1, first + 3], stage: 'postprocessing', steps: 1 },
    )
  }
  return sketches
}

function drawNature(random: Random, faults: Faults, version: VersionSpec, { node, steps }: Sketch): TaskNature {
  const { versionId, componentBytes } = version
  const all = componentBytes.map((_, component) => component)
  return {
    versionId,
    batchKey: node,
    // A task that computes nothing names no component.
    components: random.chance(0.05) ? [] : all.filter((component) => component === 0 || random.chance(0.5)),
    steps,
    canBeSaved: random.chance(0.8),
    stateBytes: random.whole(0, 4) * mib,
    heldBytes: random.whole(0, 4) * mib,
    lossesLeft: random.chance(faults.outputIsLost) ? 1 : 0,
    poisonStep: random.chance(faults.taskIsPoison) ? random.whole(1, steps) : null,
    failuresLeft: random.chance(faults.taskFails) ? random.whole(1, 7) : 0,
    failure: random.pick(['engine_error', 'engine_error', 'out_of_memory', 'invalid_request']),
  }
}
