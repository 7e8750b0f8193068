/** The models that can be asked for now, by name and by version, with what their manifests and headers say. */

import type { FoundFile } from '../runtime/models/found-model.ts'
import type { Manifest } from '../runtime/models/manifest.ts'
import type { Signature } from '../runtime/models/signature.ts'
import type { VersionSpec } from '../scheduler/events.ts'
import type { VersionId } from '../scheduler/ids.ts'
import type { ComponentRecord, ModelId, ModelRecord, VersionRecord } from '../store/records.ts'

export interface CatalogueEntry {
  readonly model: ModelRecord
  readonly version: VersionRecord
  readonly components: readonly ComponentRecord[]
  readonly manifest: Manifest
  /** Null when it cannot be run: it is being verified, was refused, or its files are gone. */
  readonly spec: VersionSpec | null
  /** Why it was refused or is gone, for people; null when neither is so. */
  readonly problem: string | null
  /** What its graph takes and gives; null where no header says so. */
  readonly signature: Signature | null
  /** What the headers of its files say, by component. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** As they were when their content was read: whoever loads it must find them so. */
  readonly files: readonly FoundFile[]
  /** How far the reading of its files has come. */
  readonly verified: { readonly bytes: number; readonly totalBytes: number }
}

/** The version as `name@version` gives it, of the digest of its content. */
export function shortDigest(sha256: string): string {
  return sha256.slice(0, 12)
}

export class Catalogue {
  readonly #current = new Map<string, CatalogueEntry>()
  readonly #byVersion = new Map<VersionId, CatalogueEntry>()
  readonly #byModel = new Map<ModelId, CatalogueEntry>()

  /** The entry becomes the current version of its name, unless one that runs would make way for one that does not. */
  add(entry: CatalogueEntry): void {
    const current = this.#current.get(entry.model.name)
    if (!current || current.version.id === entry.version.id || entry.spec !== null || current.spec === null)
      this.#makeCurrent(entry)
    this.#byVersion.set(entry.version.id, entry)
  }

  /** What is known of a version has changed; which one is current has not. */
  update(entry: CatalogueEntry): void {
    this.#byVersion.set(entry.version.id, entry)
    if (this.#current.get(entry.model.name)?.version.id === entry.version.id) this.#makeCurrent(entry)
  }

  /** The version is forgotten; its name stays with whatever else is known of it. */
  remove(id: VersionId): void {
    const entry = this.#byVersion.get(id)
    if (!entry) return
    this.#byVersion.delete(id)
    if (this.#current.get(entry.model.name)?.version.id !== id) return
    this.#current.delete(entry.model.name)
    this.#byModel.delete(entry.model.id)
    const newest = this.ofModel(entry.model.id).at(-1)
    if (newest) this.#makeCurrent(newest)
  }

  /** `reference`: `name`, or `name@version` with the first 12 hex digits of the digest. */
  resolve(reference: string): CatalogueEntry | null {
    const [name = '', version] = reference.split('@')
    if (version === undefined) return this.#current.get(name) ?? null
    for (const entry of this.#byVersion.values()) {
      if (entry.model.name === name && shortDigest(entry.version.sha256) === version) return entry
    }
    return null
  }

  version(id: VersionId): CatalogueEntry | null {
    return this.#byVersion.get(id) ?? null
  }

  /** What a worker needs to load a version. */
  files(id: VersionId): {
    readonly manifest: Manifest
    readonly directory: string
    readonly files: readonly FoundFile[]
  } {
    const entry = this.#byVersion.get(id)
    if (!entry) throw new Error(`Version ${id} is not in the catalogue.`)
    return { manifest: entry.manifest, directory: entry.version.directory, files: entry.files }
  }

  model(id: ModelId): CatalogueEntry | null {
    return this.#byModel.get(id) ?? null
  }

  /** Every version of a model that is still known, oldest first. */
  ofModel(id: ModelId): CatalogueEntry[] {
    return [...this.#byVersion.values()].filter(({ model }) => model.id === id)
  }

  names(): string[] {
    return [...this.#current.keys()].sort()
  }

  /** The current version of every name. */
  current(): CatalogueEntry[] {
    return [...this.#current.values()]
  }

  #makeCurrent(entry: CatalogueEntry): void {
    this.#current.set(entry.model.name, entry)
    this.#byModel.set(entry.model.id, entry)
  }
}
