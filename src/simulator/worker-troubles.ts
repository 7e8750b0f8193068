/**
 * Workers that live and are of no use: they hang, are slow, or nothing gets through to them. What the watch over them does about it is modelled by its
 * limits: suspicion after three quarters of a second, and an end after one to two seconds.
 */
import type { SchedulerEvent } from '../scheduler/events.ts'
import type { WorkerId } from '../scheduler/ids.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'
import type { Wires } from './wires.ts'
import type { WorkerModel } from './worker-model.ts'

export interface TroubleSurroundings {
  readonly random: Random
  readonly timeline: Timeline
  feed(event: SchedulerEvent): void
}

const suspectMs = 750
const foundMsMin = 1000
const foundMsMax = 1950

export class WorkerTroubles {
  hangs = 0
  partitions = 0
  readonly #world: TroubleSurroundings
  readonly #wires: Wires
  readonly #isThere: (worker: WorkerModel) => boolean

  constructor(world: TroubleSurroundings, wires: Wires, isThere: (worker: WorkerModel) => boolean) {
    this.#world = world
    this.#wires = wires
    this.#isThere = isThere
  }

  /** It does nothing any more; its reader may still answer. */
  hang(worker: WorkerModel): void {
    if (worker.isHung) return
    const { random, timeline } = this.#world
    this.hangs += 1
    worker.hang()
    if (random.chance(0.5)) this.#suspect(worker, () => true)
    timeline.after(random.between(foundMsMin, foundMsMax), () => worker.die('signal'))
  }

  /** Its steps take much longer for a while. */
  slowDown(worker: WorkerModel): void {
    const { random, timeline } = this.#world
    worker.slowness = 8
    timeline.after(random.between(200, 1000), () => {
      worker.slowness = 1
    })
  }

  /** Either it is over soon, or the worker is given up, and what it has said comes when nobody waits for it any more. */
  cutOff(worker: WorkerModel): void {
    const { workerId } = worker
    if (this.#wires.isCut(workerId)) return
    const { random, timeline } = this.#world
    this.partitions += 1
    this.#wires.cut(workerId)
    let isOver = false
    const suspicion = this.#suspect(worker, () => !isOver)
    const healsAfterMs = random.between(50, 2 * foundMsMin)
    if (healsAfterMs < foundMsMin) {
      timeline.after(healsAfterMs, () => {
        isOver = true
        this.#wires.heal(workerId)
        if (suspicion.isTold && this.#isThere(worker)) this.#world.feed({ type: 'workerAnswered', workerId })
      })
    } else {
      timeline.after(healsAfterMs, () => this.#giveUp(worker, workerId))
    }
  }

  #giveUp(worker: WorkerModel, workerId: WorkerId): void {
    const { random, timeline } = this.#world
    const unheard = this.#wires.abandon(workerId)
    if (!this.#isThere(worker)) return
    worker.die('signal')
    // A checkpoint is kept by the shell, which knows the epochs of workers itself.
    for (const event of unheard)
      if (event.type !== 'taskCheckpointed') timeline.after(random.between(5, 500), () => this.#world.feed(event))
  }

  #suspect(worker: WorkerModel, isStillSo: () => boolean): { isTold: boolean } {
    const suspicion = { isTold: false }
    this.#world.timeline.after(suspectMs, () => {
      if (!isStillSo() || !this.#isThere(worker)) return
      suspicion.isTold = true
      this.#world.feed({ type: 'workerSuspected', workerId: worker.workerId })
    })
    return suspicion
  }
}
