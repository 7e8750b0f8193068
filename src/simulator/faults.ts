/** What goes wrong and what users do in between, each kind at random times until the scenario says that it is over. */
import type { JobId, Millis } from '../scheduler/ids.ts'
import type { Simulation } from './simulation.ts'
import type { WorkerModel } from './worker-model.ts'

const mib = 1024 * 1024

export function scheduleFaults(world: Simulation): void {
  const { random, scenario } = world
  const { faults } = scenario
  repeat(world, faults.killGapMs, () => {
    const workers = world.workers.alive()
    if (workers.length > 0) random.pick(workers).die(random.pick(['signal', 'exit_code', 'protocol_error']))
  })
  const trouble = (meanGapMs: Millis, happen: (worker: WorkerModel) => void) =>
    repeat(world, meanGapMs, () => {
      const workers = world.workers.alive()
      if (workers.length > 0) happen(random.pick(workers))
    })
  trouble(faults.hangGapMs, (worker) => world.workers.troubles.hang(worker))
  trouble(faults.slowGapMs, (worker) => world.workers.troubles.slowDown(worker))
  trouble(faults.cutGapMs, (worker) => world.workers.troubles.cutOff(worker))
  repeat(world, faults.deviceGapMs, () => loseDevice(world))
  repeat(world, faults.clockGapMs, () => world.clock.jump(random))
  repeat(world, faults.restartGapMs, () => {
    if (random.chance(0.3)) world.feed({ type: 'drainRequested' })
    world.timeline.after(random.between(0, 300), () => world.restartServer())
  })
  repeat(world, faults.cancelGapMs, () => {
    const unfinished = world.jobs.unfinished()
    if (unfinished.length > 0) cancel(world, random.pick(unfinished).jobId)
  })
  repeat(world, faults.pauseGapMs, () => {
    const unfinished = world.jobs.unfinished()
    if (unfinished.length > 0) pauseOrResume(world, random.pick(unfinished).jobId)
  })
  repeat(world, faults.unloadGapMs, () =>
    world.feed({
      type: 'unloadRequested',
      versionId: random.pick(scenario.versions).versionId,
      deviceId: pickDevice(world),
    }),
  )
  repeat(world, faults.loadGapMs, () =>
    world.feed({
      type: 'loadRequested',
      versionId: random.pick(scenario.versions).versionId,
      deviceId: pickDevice(world),
    }),
  )
  repeat(world, faults.pinGapMs, () => pinForAWhile(world))
  repeat(world, faults.hintGapMs, () =>
    world.feed({
      type: 'hintGiven',
      versionId: random.pick(scenario.versions).versionId,
      withinMs: random.between(10, 1000),
      probability: random.fraction(),
    }),
  )
  repeat(world, faults.externalGapMs, () => measure(world))
  repeat(world, faults.fileGapMs, () => world.files.disturb(random.pick(scenario.versions).versionId))
  repeat(world, 200, () => world.swapState())
  world.timeline.after(scenario.untilMs, () => resumeAll(world))
}

/** Every device comes back, so that what only it can hold comes to its end. */
function loseDevice(world: Simulation): void {
  const { random, scenario, timeline } = world
  const { deviceId } = random.pick(scenario.devices)
  world.deviceLost(deviceId)
  timeline.after(random.between(20, 1500), () => world.feed({ type: 'deviceReturned', deviceId }))
}

/** Others may need the memory to come to their end. */
function pinForAWhile(world: Simulation): void {
  const { random, scenario, timeline } = world
  const { versionId } = random.pick(scenario.versions)
  const deviceId = pickDevice(world)
  world.feed({ type: 'pinRequested', versionId, deviceId, pinned: true })
  timeline.after(random.between(50, 1000), () =>
    world.feed({ type: 'pinRequested', versionId, deviceId, pinned: false }),
  )
}

function repeat(world: Simulation, meanGapMs: Millis, happen: () => void): void {
  if (meanGapMs === Number.POSITIVE_INFINITY) return
  world.timeline.after(world.random.gap(meanGapMs), () => {
    if (world.areFaultsOver) return
    happen()
    repeat(world, meanGapMs, happen)
  })
}

function cancel(world: Simulation, jobId: JobId): void {
  world.jobs.cancelRequested(jobId)
  world.feed({ type: 'cancelRequested', jobId })
}

function pauseOrResume(world: Simulation, jobId: JobId): void {
  if (world.jobs.pauseWished(jobId) === 'resume') world.feed({ type: 'resumeRequested', jobId })
  else world.feed({ type: 'pauseRequested', jobId, cause: 'requested' })
}

/** Nobody is left paused for ever. */
function resumeAll(world: Simulation): void {
  for (const { jobId, pauseRequested } of world.jobs.unfinished()) if (pauseRequested) pauseOrResume(world, jobId)
}

function pickDevice({ random, scenario }: Simulation): Simulation['scenario']['devices'][number]['deviceId'] | null {
  return random.chance(0.5) ? null : random.pick(scenario.devices).deviceId
}

/** Workers grow and shrink, and others use memory of a device for a while. */
function measure(world: Simulation): void {
  const { random, scenario, workers, timeline } = world
  for (const { workerId } of workers.alive())
    world.feed({ type: 'workerMeasured', workerId, privateBytes: random.whole(10, 200) * mib })
  const { deviceId, limitBytes } = random.pick(scenario.devices)
  world.feed({
    type: 'deviceMeasured',
    deviceId,
    externalBytes: Math.round(limitBytes * random.between(0, 0.5)),
    stallShare: random.chance(0.3) ? random.fraction() : 0,
  })
  timeline.after(random.between(10, 400), () =>
    world.feed({ type: 'deviceMeasured', deviceId, externalBytes: 0, stallShare: 0 }),
  )
}
