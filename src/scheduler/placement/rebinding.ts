/** Jobs that wait for a device that is lost, or cannot hold their model, look for another; and those that found none look again when one comes. */
import { dequeueAll, unbind } from '../admission/lanes.ts'
import { goOn } from '../admission/next-tasks.ts'
import type { Device, Job, Version } from '../state.ts'
import type { Turn } from '../turn.ts'
import { bind, isBindingEarly } from './binding.ts'

/** `version` null = of all versions. */
export function rebindFrom(turn: Turn, device: Device, version: Version | null): void {
  bindAnew(turn, (job) => job.boundTo === device && (version === null || job.version === version))
}

export function bindUnbound(turn: Turn): void {
  if (isBindingEarly(turn.state)) bindAnew(turn, (job) => job.boundTo === null)
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
