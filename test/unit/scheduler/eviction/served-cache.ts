/** One memory whose evictions the scheduler's policies decide: every request must find its model there, in order, and nothing takes time. */
import { createDevice, createVersion } from '../../../../src/scheduler/blank.ts'
import { noteDemand } from '../../../../src/scheduler/demand/taking.ts'
import { byWorth, type Candidate, cheapestToSuffice, firstToSuffice } from '../../../../src/scheduler/eviction/cover.ts'
import type { EvictionName } from '../../../../src/scheduler/eviction/policies/policies.ts'
import { joinPool } from '../../../../src/scheduler/eviction/pool.ts'
import { worthsOf } from '../../../../src/scheduler/eviction/worths.ts'
import type { DeviceId, UserId, VersionId } from '../../../../src/scheduler/ids.ts'
import { defaultSettings } from '../../../../src/scheduler/settings.ts'
import { createState, type SchedulerState, type Version } from '../../../../src/scheduler/state.ts'

export interface Model {
  readonly bytes: number
  readonly loadMs: number
}

export class ServedCache {
  /** Load time of everything that was missing. */
  loadedMs = 0
  readonly #state: SchedulerState
  readonly #limitBytes: number
  readonly #there = new Map<VersionId, Version>()
  #now = 0

  constructor(eviction: EvictionName, limitBytes: number) {
    this.#limitBytes = limitBytes
    this.#state = createState({ ...defaultSettings, eviction, weightsShare: 1 }, 1)
    const spec = { deviceId: 1 as DeviceId, name: 'memory', limitBytes, coreCount: 1, workerThreads: 1 }
    joinPool(this.#state, createDevice(spec))
  }

  after(ms: number): this {
    this.#now += ms
    return this
  }

  has(model: number): boolean {
    return this.#there.has(model as VersionId)
  }

  /** Answers who had to go. */
  ask(model: number, { bytes, loadMs }: Model, user: number | null = null): number[] {
    const version = this.#version(model as VersionId, bytes)
    version.learnt.loadMs = loadMs
    noteDemand(this.#state, { version, sessionId: null, userId: user as UserId | null }, this.#now)
    if (this.#there.has(version.spec.versionId)) return []
    this.loadedMs += loadMs
    const gone = this.#makeRoom(bytes)
    this.#there.set(version.spec.versionId, version)
    return gone
  }

  #version(versionId: VersionId, weightsBytes: number): Version {
    const known = this.#state.versions.get(versionId)
    if (known) return known
    const version = createVersion(this.#state, {
      versionId,
      modelName: `model ${versionId}`,
      engine: 'onnx',
      weightsBytes,
      workingBytes: 0,
      batchLimit: 1,
      holdMs: 0,
      interruptAfterMs: 5,
      componentBytes: [weightsBytes],
      componentNames: ['model'],
    })
    this.#state.versions.set(versionId, version)
    return version
  }

  #makeRoom(bytes: number): number[] {
    const all = [...this.#there.values()]
    const usedBytes = all.reduce((sum, { spec }) => sum + spec.weightsBytes, 0)
    const missing = { totalBytes: usedBytes + bytes - this.#limitBytes, weightsBytes: 0 }
    const [pool] = this.#state.pools.values()
    const rising = pool?.shadows.get('gdsf')
    const holdings = all.map(({ spec, learnt }) => ({
      demand: learnt.demand,
      usedAt: learnt.demand.lastAt ?? 0,
      loadMs: learnt.loadMs ?? 0,
      bytes: spec.weightsBytes,
      otherCopies: 0,
      risen: rising?.risenAt.get(spec.versionId) ?? 0,
      risenNow: rising?.risen ?? 0,
    }))
    const worths = worthsOf(this.#state, pool, holdings, this.#now)
    const candidates = all
      .map(({ spec, learnt }, index): Candidate & { versionId: VersionId } => ({
        versionId: spec.versionId,
        totalBytes: spec.weightsBytes,
        weightsBytes: 0,
        worth: worths[index] ?? 0,
        latest: learnt.demand.latest,
      }))
      .sort(byWorth)
    const choose = this.#state.settings.eviction === 'hedge' ? cheapestToSuffice : firstToSuffice
    const victims = choose(candidates, missing)
    for (const { versionId } of victims) this.#there.delete(versionId)
    return victims.map(({ versionId }) => versionId)
  }
}
