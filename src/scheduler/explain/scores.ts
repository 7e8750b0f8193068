/** How alternatives are compared: each scheme names the parts of its scores, in the order in which they are stored, with their units. */
import type { DeviceId, VersionId } from '../ids.ts'

export interface PartName {
  readonly name: string
  /** Null: a plain number. */
  readonly unit: 'bytes' | 'ms' | null
  /** What is said behind the amount. */
  readonly words: string
}

/** A score has at most so many parts. */
export const partsMax = 6

/** Their places are what is stored, so new schemes come last. */
export const scoreSchemes = {
  /** Devices for a load, by what would have to go, then by how busy and how ready they are; compared in this order. */
  room: [
    part('missingBytes', 'bytes', 'missing'),
    part('tasksPerCore', null, 'tasks per core'),
    part('startSteps', null, 'steps until its engine is ready'),
    part('availableBytes', 'bytes', 'available'),
  ],
  /** Devices for a job, by when it would be done there, with what its model would push out; the least wins. */
  ect: [
    part('waitMs', 'ms', 'to wait'),
    part('loadMs', 'ms', 'to load'),
    part('execMs', 'ms', 'to run'),
    part('evictedMs', 'ms', 'for what would be pushed out'),
  ],
  /** Models that could leave a device: what is lost with them, and the rank that the policy gave them; the lowest rank leaves. */
  value: [
    part('usesPerHour', null, 'uses an hour'),
    part('loadMs', 'ms', 'to load again'),
    part('sizeBytes', 'bytes', 'of memory'),
    part('rank', null, 'as its rank'),
  ],
  /** Devices in turn: the one whose turn is next wins. */
  turn: [part('turnsAhead', null, 'turns ahead of it')],
  /** Devices in weighted turn: the greatest credit wins. */
  weight: [
    part('weight', null, 'as its weight'),
    part('credit', null, 'as its credit'),
    part('availableBytes', 'bytes', 'available'),
  ],
  /** Devices by what they have to do, then by what they have available. */
  least: [part('outstandingMs', 'ms', 'of work ahead'), part('availableBytes', 'bytes', 'available')],
  /** Devices by how well they suit a model, from 0 to 1: the whole, then what it is made of; the greatest wins. */
  compatibility: [
    part('compatibility', null, 'compatible'),
    part('memory', null, 'for memory'),
    part('speed', null, 'for speed'),
    part('load', null, 'for how little is to be loaded'),
    part('temperature', null, 'for temperature'),
    part('reliability', null, 'for reliability'),
  ],
  /** Devices by how much memory would become useless for what is asked for; the least growth wins. */
  fragmentation: [
    part('growthBytes', 'bytes', 'more that nobody could use'),
    part('availableBytes', 'bytes', 'available'),
    part('outstandingMs', 'ms', 'of work ahead'),
  ],
  /** Devices by how fast they seem with the work that they have. */
  fastest: [
    part('seemingMs', 'ms', 'with what is ahead'),
    part('execMs', 'ms', 'to run'),
    part('outstandingMs', 'ms', 'of work ahead'),
  ],
  /** Devices by when a job of its predicted length would be done; the last part is what a long job costs the short ones. */
  size: [
    part('waitMs', 'ms', 'to wait'),
    part('loadMs', 'ms', 'to load'),
    part('execMs', 'ms', 'to run'),
    part('delayMs', 'ms', 'that shorter jobs would wait'),
  ],
  /** Devices by when a job would be done, as experience has corrected it. */
  learnt: [
    part('waitMs', 'ms', 'to wait'),
    part('loadMs', 'ms', 'to load'),
    part('execMs', 'ms', 'to run'),
    part('bias', null, 'learnt for this model there'),
  ],
  /** Devices for a model that moves: what it saves, what it costs, and how long a task takes here and there. */
  move: [
    part('savedMs', 'ms', 'saved'),
    part('loadMs', 'ms', 'to load'),
    part('evictedMs', 'ms', 'for what would be pushed out'),
    part('hereMs', 'ms', 'to run where it is'),
    part('thereMs', 'ms', 'to run there'),
  ],
} as const satisfies Readonly<Record<string, readonly PartName[]>>
export type ScoreScheme = keyof typeof scoreSchemes

/** How one alternative scored: a device, a model, or a model on a device. */
export interface Score {
  readonly deviceId: DeviceId | null
  readonly versionId: VersionId | null
  /** As its scheme names them. */
  readonly parts: readonly number[]
}

/** The one number that decided; null where the parts are compared one after the other. */
export function scoreOf(scheme: ScoreScheme, { parts }: Score): number | null {
  switch (scheme) {
    case 'ect':
    case 'size':
      return parts.reduce((sum, ms) => sum + ms, 0)
    case 'value':
      return parts[3] ?? null
    case 'turn':
    case 'compatibility':
    case 'fragmentation':
    case 'fastest':
      return parts[0] ?? null
    case 'weight':
      return parts[1] ?? null
    case 'learnt':
      return (parts[0] ?? 0) + (parts[1] ?? 0) + (parts[2] ?? 0)
    default:
      return null
  }
}

function part(name: string, unit: PartName['unit'], words: string): PartName {
  return { name, unit, words }
}
