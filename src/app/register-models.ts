/** Puts a model that was found on disk into the store, as the catalogue shows it. */
import type { FoundModel } from '../runtime/models/found-model.ts'
import type { Millis, VersionId } from '../scheduler/ids.ts'
import type { Store } from '../store/store.ts'
import type { CatalogueEntry } from './catalogue.ts'

export interface Progress {
  bytes: number
  totalBytes: number
}

/** `provisional`: the row that stood for it while its files were read; it becomes this version's, unless the version has one already. */
export async function writeVersion(
  store: Store,
  found: FoundModel,
  now: Millis,
  progress: Progress,
  provisional: VersionId | null = null,
): Promise<CatalogueEntry> {
  const { manifest, signature, metadata } = found
  const { model, version, components } = await store.registerVersion(
    { name: manifest.name, task: manifest.task },
    {
      sha256: found.sha256,
      state: found.state,
      license: manifest.license,
      // What the headers said stays readable when the files are gone.
      manifest: JSON.stringify({ ...manifest, readFromHeaders: { signature, metadata } }),
      directory: found.directory,
      sizeBytes: found.weightsBytes,
      peakBytes: found.weightsBytes + found.workingBytes,
      registeredAt: now,
    },
    found.components,
    provisional,
  )
  return {
    model,
    version,
    components,
    manifest,
    spec: found.state === 'READY' ? found.toVersionSpec(version.id) : null,
    problem: found.problem,
    signature,
    metadata,
    files: found.files,
    verified: progress,
  }
}
