/**
 * Which of several models go so that something fits: the first in order, those less what turns out not to be needed, or the set that is worth least.
 * Models are large beside a device, so that the last differs: one large model may be worth less than the two small ones that were next in order.
 */

/** Memory that becomes free, or is missing. Weights have a limit of their own. */
export interface Room {
  readonly totalBytes: number
  readonly weightsBytes: number
}

export interface Candidate extends Room {
  /** Per byte. */
  readonly worth: number
  /** Breaks ties: which of all jobs used it last. */
  readonly latest: number
  readonly versionId: number
}

/** Whoever is worth least goes first. */
export function byWorth(a: Candidate, b: Candidate): number {
  return a.worth - b.worth || a.latest - b.latest || a.versionId - b.versionId
}

/** The first that suffice; all of them if all are not enough. */
export function firstToSuffice<Item extends Room>(ordered: readonly Item[], missing: Room): Item[] {
  const chosen: Item[] = []
  let left = missing
  for (const item of ordered) {
    if (isCovered(left)) break
    chosen.push(item)
    left = minus(left, item)
  }
  return chosen
}

/** As `firstToSuffice`, but who need not go after all stays, whoever is worth most first. */
export function cheapToSpare<Item extends Room>(ordered: readonly Item[], missing: Room): Item[] {
  const chosen = firstToSuffice(ordered, missing)
  let left = chosen.reduce(minus, missing)
  return chosen.reverse().filter((item) => {
    const without = plus(left, item)
    if (!isCovered(without)) return true
    left = without
    return false
  })
}

/** Sets that are looked at; beyond that, the best one found so far. */
const looksMax = 1000

/** The set that is worth least of all that suffice, in the order given: depth first, leaving branches that cannot become better. */
export function cheapestToSuffice<Item extends Candidate>(ordered: readonly Item[], missing: Room): Item[] {
  let best = cheapToSpare(ordered, missing)
  if (best.length === 0 || !isCovered(best.reduce(minus, missing))) return best
  let bestWorth = best.reduce((sum, item) => sum + worthOfAll(item), 0)
  const roomFrom = roomsFrom(ordered)
  const chosen: Item[] = []
  let looks = 0
  const look = (index: number, left: Room, worth: number) => {
    looks += 1
    if (isCovered(left)) {
      if (worth < bestWorth) {
        best = [...chosen]
        bestWorth = worth
      }
      return
    }
    const item = ordered[index]
    const rest = roomFrom[index]
    if (!item || !rest || looks > looksMax || !isCovered(minus(left, rest))) return
    // Nobody that follows is worth less per byte.
    if (worth + item.worth * Math.max(left.totalBytes, left.weightsBytes) >= bestWorth) return
    chosen.push(item)
    look(index + 1, minus(left, item), worth + worthOfAll(item))
    chosen.pop()
    look(index + 1, left, worth)
  }
  look(0, missing, 0)
  return best
}

/** Of each item and all that follow it. */
function roomsFrom(ordered: readonly Room[]): Room[] {
  const rooms: Room[] = []
  let room: Room = { totalBytes: 0, weightsBytes: 0 }
  for (let index = ordered.length - 1; index >= 0; index -= 1) {
    const item = ordered[index]
    if (item) room = plus(room, item)
    rooms[index] = room
  }
  return rooms
}

function worthOfAll({ worth, totalBytes }: Candidate): number {
  return worth * totalBytes
}

export function isCovered({ totalBytes, weightsBytes }: Room): boolean {
  return totalBytes <= 0 && weightsBytes <= 0
}

export function plus(a: Room, b: Room): Room {
  return { totalBytes: a.totalBytes + b.totalBytes, weightsBytes: a.weightsBytes + b.weightsBytes }
}

export function minus(a: Room, b: Room): Room {
  return { totalBytes: a.totalBytes - b.totalBytes, weightsBytes: a.weightsBytes - b.weightsBytes }
}
