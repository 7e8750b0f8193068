/** Jobs that wait for a device that is lost, or cannot hold their model, look for another; and those that found none look again when one comes. */
import { dequeueAll, unbind } from '../admission/lanes.ts'
import { goOn } from '../admission/next-tasks.ts'
import { type Device, isLive, type Job, type Version } from '../state.ts'
import type { Turn } from '../turn.ts'
import { bind, isBindingEarly } from './binding.ts'

/** `version` null = of all versions. */
export function rebindFrom(turn: Turn, device: Device, version: Version | null): void {
  bindAnew(turn, (job) => job.boundTo === device && (version === null || job.version === version))
}

export function bindUnbound(turn: Turn): void {
  if (isBindingEarly(turn.state)) bindAnew(turn, (job) => job.boundTo === null)
}

/** Where its files were replaced it runs only where it still is. */
export function rebindStranded(turn: Turn, version: Version): void {
  if (version.standing !== 'replaced') return
  for (const { device, lanes } of version.bound.values()) {
    const isThere = version.residencies.some((each) => isLive(each) && each.worker.slot.device === device)
    if (!isThere && lanes.interactive.size + lanes.batch.size > 0) rebindFrom(turn, device, version)
  }
}

function bindAnew(turn: Turn, isMeant: (job: Job) => boolean): void {
  for (const job of turn.state.jobs.values()) {
    if (job.home || !isMeant(job)) continue
    dequeueAll(turn, job)
    unbind(job)
    bind(turn, job)
    goOn(turn, job)
  }
}
