/** The models that somebody asked to have loaded, and nobody to unload, or to have pinned: they are loaded, or pinned, again after a restart. */
import type { DeviceId, VersionId } from '../scheduler/ids.ts'

/** `deviceId` null = wherever it fits best. */
export interface WantedModel {
  readonly versionId: VersionId
  readonly deviceId: DeviceId | null
}

export class WantedModels {
  #wanted: WantedModel[]

  constructor(wanted: readonly WantedModel[]) {
    this.#wanted = [...wanted]
  }

  add(versionId: VersionId, deviceId: DeviceId | null): void {
    if (!this.has(versionId, deviceId)) this.#wanted.push({ versionId, deviceId })
  }

  has(versionId: VersionId, deviceId: DeviceId | null): boolean {
    return this.#wanted.some((wanted) => wanted.versionId === versionId && wanted.deviceId === deviceId)
  }

  /** `deviceId` null = everywhere. A wish that names no device is over as soon as one device is to let go. */
  remove(versionId: VersionId, deviceId: DeviceId | null): void {
    const stays = (wanted: WantedModel) =>
      wanted.versionId !== versionId || (deviceId !== null && wanted.deviceId !== null && wanted.deviceId !== deviceId)
    this.#wanted = this.#wanted.filter(stays)
  }

  /** Exactly this one. */
  dropOne(versionId: VersionId, deviceId: DeviceId | null): void {
    this.#wanted = this.#wanted.filter((wanted) => wanted.versionId !== versionId || wanted.deviceId !== deviceId)
  }

  /** Those that name the device; `deviceId` null = all for the version. */
  drop(versionId: VersionId, deviceId: DeviceId | null): void {
    this.#wanted = this.#wanted.filter(
      (wanted) => wanted.versionId !== versionId || (deviceId !== null && wanted.deviceId !== deviceId),
    )
  }

  /** Wishes for one version are wishes for the other from now on. */
  passOn(from: VersionId, to: VersionId): void {
    const passed = this.#wanted.filter(({ versionId }) => versionId === from)
    if (from === to || passed.length === 0) return
    this.#wanted = this.#wanted.filter(({ versionId }) => versionId !== from)
    for (const { deviceId } of passed) this.add(to, deviceId)
  }

  all(): readonly WantedModel[] {
    return [...this.#wanted]
  }
}
