/** Puts the models that were found on disk into the store and the catalogue. */
import type { FoundModel } from '../runtime/models/discovery.ts'
import type { Store } from '../store/store.ts'
import type { Catalogue, CatalogueEntry } from './catalogue.ts'
import type { Clock } from './clock.ts'

export async function registerModels(
  store: Store,
  catalogue: Catalogue,
  found: readonly FoundModel[],
  clock: Clock,
): Promise<CatalogueEntry[]> {
  const registered = await Promise.all(found.map((model) => registerModel(store, model, clock)))
  for (const entry of registered) catalogue.add(entry)
  return registered
}

async function registerModel(store: Store, found: FoundModel, clock: Clock): Promise<CatalogueEntry> {
  const { manifest } = found
  const { model, version, components } = await store.registerVersion(
    { name: manifest.name, task: manifest.task },
    {
      sha256: found.sha256,
      state: found.state,
      license: manifest.license,
      manifest: JSON.stringify(manifest),
      directory: found.directory,
      sizeBytes: found.weightsBytes,
      peakBytes: found.weightsBytes + found.workingBytes,
      registeredAt: clock.now(),
    },
    found.components,
  )
  const spec = found.state === 'READY' ? found.toVersionSpec(version.id) : null
  return { model, version, components, manifest, spec, problem: found.problem }
}
