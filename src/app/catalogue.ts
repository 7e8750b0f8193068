/** The models that can be asked for now, by name and by version, with what their manifests say. */

import type { Manifest } from '../runtime/models/manifest.ts'
import type { VersionSpec } from '../scheduler/events.ts'
import type { VersionId } from '../scheduler/ids.ts'
import type { ComponentRecord, ModelId, ModelRecord, VersionRecord } from '../store/records.ts'

export interface CatalogueEntry {
  readonly model: ModelRecord
  readonly version: VersionRecord
  readonly components: readonly ComponentRecord[]
  readonly manifest: Manifest
  /** Null when the version was refused: it is listed, and cannot be run. */
  readonly spec: VersionSpec | null
  /** Why it was refused, for people; null when it was not. */
  readonly problem: string | null
}

const versionDigits = 12

export class Catalogue {
  readonly #current = new Map<string, CatalogueEntry>()
  readonly #byVersion = new Map<VersionId, CatalogueEntry>()
  readonly #byModel = new Map<ModelId, CatalogueEntry>()

  /** The entry becomes the current version of its name. */
  add(entry: CatalogueEntry): void {
    this.#current.set(entry.model.name, entry)
    this.#byModel.set(entry.model.id, entry)
    this.#byVersion.set(entry.version.id, entry)
  }

  /** `reference`: `name`, or `name@version` with the first 12 hex digits of the digest. */
  resolve(reference: string): CatalogueEntry | null {
    const [name = '', version] = reference.split('@')
    if (version === undefined) return this.#current.get(name) ?? null
    for (const entry of this.#byVersion.values()) {
      if (entry.model.name === name && entry.version.sha256.slice(0, versionDigits) === version) return entry
    }
    return null
  }

  version(id: VersionId): CatalogueEntry | null {
    return this.#byVersion.get(id) ?? null
  }

  /** What a worker needs to load a version. */
  files(id: VersionId): { readonly manifest: Manifest; readonly directory: string } {
    const entry = this.#byVersion.get(id)
    if (!entry) throw new Error(`Version ${id} is not in the catalogue.`)
    return { manifest: entry.manifest, directory: entry.version.directory }
  }

  model(id: ModelId): CatalogueEntry | null {
    return this.#byModel.get(id) ?? null
  }

  names(): string[] {
    return [...this.#current.keys()].sort()
  }

  /** The current version of every name. */
  current(): CatalogueEntry[] {
    return [...this.#current.values()]
  }
}
