/**
 * The devices by what makes them likely to take a load, so that a few can be drawn from ten thousand without looking at the others: all of them, those
 * without work, and those with room, by powers of two. Everything is kept in order of device ids, so that the same draws find the same devices.
 */
import { drawBelow } from '../chance.ts'
import { OrderedQueue } from '../queues/ordered-queue.ts'
import type { Device } from '../state.ts'

const mib = 1024 * 1024
const bucketsMax = 32
/** Devices drawn of each kind. */
const drawnMax = 4

export class Fleet {
  readonly #all: Device[] = []
  readonly #idle = new OrderedQueue<Device>()
  readonly #byRoom: readonly OrderedQueue<Device>[] = Array.from({ length: bucketsMax }, () => new OrderedQueue())

  add(device: Device): void {
    this.#all.push(device)
    this.note(device)
  }

  /** Its memory or its work has changed. */
  note(device: Device): void {
    const isIdle = device.admitted === 0 && device.loading === null
    if (isIdle !== device.place.isIdle) {
      device.place.isIdle = isIdle
      if (isIdle) this.#idle.add(device)
      else this.#idle.remove(device)
    }
    const bucket = bucketOf(device)
    if (bucket === device.place.bucket) return
    this.#byRoom[device.place.bucket]?.remove(device)
    device.place.bucket = bucket
    this.#byRoom[bucket]?.add(device)
  }

  /** Some without work, some that have room for so many bytes, the least that suffices and the most there is, and some more. */
  draw(neededBytes: number, chance: { random: number }): Set<Device> {
    const drawn = new Set<Device>()
    const drawFrom = (queue: OrderedQueue<Device> | undefined, count: number) => {
      for (let left = count; left > 0 && queue && queue.size > 0; left -= 1) {
        const device = queue.at(drawBelow(chance, queue.size))
        if (device) drawn.add(device)
      }
    }
    drawFrom(this.#idle, drawnMax)
    const roomy = this.#byRoom.filter((queue, bucket) => queue.size > 0 && mib * 2 ** bucket >= neededBytes)
    drawFrom(roomy[0], drawnMax / 2)
    drawFrom(roomy.at(-1), drawnMax / 2)
    for (let left = drawnMax; left > 0; left -= 1) {
      const device = this.#all[drawBelow(chance, this.#all.length)]
      if (device) drawn.add(device)
    }
    return drawn
  }
}

function bucketOf({ spec, allocatedBytes, reservedBytes, externalBytes }: Device): number {
  const free = (spec.limitBytes - allocatedBytes - reservedBytes - externalBytes) / mib
  return free < 1 ? 0 : Math.min(bucketsMax - 1, Math.floor(Math.log2(free)))
}
