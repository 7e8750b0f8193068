/** Devices as routing policies see them, and requests, for tests: equal but for what a test says. */

import { routingPolicies } from '../../../../../src/scheduler/placement/policies/policies.ts'
import type { RoutingCandidate, RoutingRequest } from '../../../../../src/scheduler/placement/policies/policy.ts'
import type { RoutingName } from '../../../../../src/scheduler/settings.ts'
import { mib, SchedulerUnderTest } from '../../scheduler-under-test.ts'

const gib = 1024 * mib

/** A scheduler with some devices and one version, and what its policies would choose. */
export class RoutingUnderTest {
  readonly scheduler = new SchedulerUnderTest()
  readonly candidates: RoutingCandidate[]
  readonly request: RoutingRequest
  now = 0

  constructor(count: number) {
    const ids = Array.from({ length: count }, () => this.scheduler.device({ limitBytes: 4 * gib }))
    const version = this.scheduler.state.versions.get(this.scheduler.version())!
    this.request = { version, class: 'interactive', work: 1, weightsBytes: gib, totalBytes: gib }
    this.candidates = ids.map((deviceId) => ({
      device: this.scheduler.state.devices.get(deviceId)!,
      limitBytes: 4 * gib,
      availableBytes: 4 * gib,
      freeBytes: 4 * gib,
      outstandingMs: 0,
      residents: 0,
      isResident: false,
      loadMs: 1000,
      execMs: 1000,
      speed: 1,
      failRate: 0,
      temperatureFactor: 1,
      isStaffed: true,
    }))
  }

  set(index: number, facts: Partial<RoutingCandidate>): void {
    this.candidates[index] = { ...this.candidates[index]!, ...facts }
  }

  choose(routing: RoutingName, request: Partial<RoutingRequest> = {}) {
    const { state } = this.scheduler
    const view = { now: this.now, state, candidates: this.candidates }
    return routingPolicies[routing]?.choose(view, { ...this.request, ...request }) ?? null
  }

  /** The place of the chosen device among the candidates; -1 = none. */
  place(routing: RoutingName, request: Partial<RoutingRequest> = {}): number {
    const choice = this.choose(routing, request)
    return this.candidates.findIndex(({ device }) => device === choice?.device)
  }

  places(routing: RoutingName, times: number, request: Partial<RoutingRequest> = {}): number[] {
    return Array.from({ length: times }, () => this.place(routing, request))
  }
}
