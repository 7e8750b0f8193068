/** Who has to leave a device so that a load fits there. Nothing changes here. */
import type { PriorityClass } from '../events.ts'
import type { Millis, VersionId } from '../ids.ts'
import { availableBytes, weightsRoomBytes } from '../memory/ledger.ts'
import type { Device, SchedulerState } from '../state.ts'
import { cheapestToSuffice, firstToSuffice, isCovered, minus, type Room } from './cover.ts'
import type { Ranked } from './ranking.ts'
import { leavingRoom } from './rooms.ts'
import { modelVictim, type Unused, unused, type Victim } from './unused.ts'

/** What a load takes. The worker of its engine stays, though it may hold nothing yet. */
export interface Need extends Room {
  /** Whose load it is. */
  readonly versionId: VersionId
  readonly engine: string
  /** Of the work that it is for. Interactive work may fill the reserve, and batch work evicts nothing that interactive work has used of late. */
  readonly class: PriorityClass
  /** It has waited so long that it may do so nevertheless. */
  readonly isOverdue: boolean
}

/** Bytes that must become free before `need` fits, whichever of the two limits wants more; 0 = it fits. */
export function missingBytes(state: SchedulerState, device: Device, need: Need): number {
  const { totalBytes, weightsBytes } = minus(need, freeRoom(state, device, need))
  return Math.max(0, totalBytes, weightsBytes)
}

/** What would go before it fits, of what is not in use; null = all of that is not enough. */
export function victimsFor(state: SchedulerState, device: Device, need: Need, now: Millis): readonly Victim[] | null {
  if (missingBytes(state, device, need) === 0) return noVictims
  return choose(state, device, need, unused(state, device, need, now), noVictims)?.victims ?? null
}
export const noVictims: readonly Victim[] = []

export interface Choice {
  readonly victims: readonly Victim[]
  /** Models that could have gone and stay, whoever is worth least first. */
  readonly spared: readonly Ranked[]
}

/** Whoever goes so that the need fits with what is leaving anyway; null if all of them are not enough. `last`: only after everything that is unused. */
export function choose(
  state: SchedulerState,
  device: Device,
  need: Need,
  { empty, models, rest }: Unused,
  last: readonly Victim[],
): Choice | null {
  const missing = minus(minus(need, freeRoom(state, device, need)), leavingRoom(device))
  const processes = firstToSuffice(empty, missing)
  const missingThen = processes.reduce(minus, missing)
  if (isCovered(missingThen)) return { victims: processes, spared: models }
  if (isCovered(models.reduce(minus, missingThen))) {
    const chosen =
      state.settings.eviction === 'hedge' ? cheapestToSuffice(models, missingThen) : firstToSuffice(models, missingThen)
    const spared = models.filter((each) => !chosen.includes(each))
    return { victims: [...processes, ...chosen.map(modelVictim)], spared }
  }
  const victims = firstToSuffice<Victim>([...empty, ...models.map(modelVictim), ...rest, ...last], missing)
  return isCovered(victims.reduce<Room>(minus, missing)) ? { victims, spared: [] } : null
}

/** As the ledger has it now. */
function freeRoom(state: SchedulerState, device: Device, need: Need): Room {
  return { totalBytes: availableBytes(device), weightsBytes: weightsRoomBytes(state, device, need.class) }
}
