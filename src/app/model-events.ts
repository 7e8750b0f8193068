/** Residencies as they are now, and the stream of what happens to models. */
import type { Residency } from '../scheduler/commands.ts'
import type { Decision } from '../scheduler/explain/decisions.ts'
import type { DeviceId, Millis, ResidencyId, VersionId } from '../scheduler/ids.ts'
import type { ModelId } from '../store/records.ts'
import type { ModelEvent } from './app.ts'
import type { Catalogue } from './catalogue.ts'
import { Topic } from './topic.ts'

const keptEvents = 1024

export class ModelEvents {
  readonly #residencies = new Map<ResidencyId, Residency>()
  readonly #topic = new Topic<ModelEvent>(keptEvents)
  readonly #catalogue: Catalogue

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue
  }

  registered(modelId: ModelId, versionId: VersionId, at: Millis): void {
    this.#topic.publish({ type: 'ModelRegistered', at, modelId, versionId })
  }

  /** `decision`: why it loads or leaves; null when it does neither. */
  changed(residency: Residency, at: Millis, decision: Decision | null): void {
    this.#residencies.set(residency.residencyId, residency)
    this.#publish(residency.versionId, (modelId) => ({ type: 'ResidencyChanged', at, modelId, residency, decision }))
  }

  /** `decision`: why it had to go; null when its worker died or it could not be loaded. */
  ended(residencyId: ResidencyId, versionId: VersionId, at: Millis, decision: Decision | null): void {
    this.#residencies.delete(residencyId)
    this.#publish(versionId, (modelId) => ({ type: 'ResidencyEnded', at, modelId, residencyId, decision }))
  }

  loadFailed(
    versionId: VersionId,
    failure: { readonly code: string; readonly message: string; readonly retryable: boolean },
    at: Millis,
  ): void {
    this.#publish(versionId, (modelId) => ({ type: 'ModelLoadFailed', at, modelId, versionId, failure }))
  }

  residency(id: ResidencyId): Residency | null {
    return this.#residencies.get(id) ?? null
  }

  residencies(filter: { readonly versionId?: VersionId; readonly deviceId?: DeviceId }): Residency[] {
    const matches = ({ versionId, deviceId }: Residency) =>
      (filter.versionId === undefined || versionId === filter.versionId) &&
      (filter.deviceId === undefined || deviceId === filter.deviceId)
    return [...this.#residencies.values()].filter(matches)
  }

  /** `modelId` null = all models. */
  read(modelId: ModelId | null): AsyncIterableIterator<ModelEvent> {
    return this.#topic.read((event) => modelId === null || event.modelId === modelId)
  }

  close(): void {
    this.#topic.close()
  }

  #publish(versionId: VersionId, event: (modelId: ModelId) => ModelEvent): void {
    const entry = this.#catalogue.version(versionId)
    if (entry) this.#topic.publish(event(entry.model.id))
  }
}
