/** Whose decisions somebody asks for: all versions of a model, or one, also of those whose files have been replaced. */
import type { VersionId } from '../scheduler/ids.ts'
import type { Store } from '../store/store.ts'
import { type Catalogue, shortDigest } from './catalogue.ts'

const everyVersion = { first: 1000, beforeId: null }

/** `reference`: `name`, or `name@version`. Null = nobody knows it. */
export async function versionIds(
  catalogue: Pick<Catalogue, 'resolve'>,
  store: Pick<Store, 'readModels' | 'readVersions'>,
  reference: string,
): Promise<readonly VersionId[] | null> {
  const [name = '', digest] = reference.split('@')
  const known = digest === undefined ? null : catalogue.resolve(reference)
  if (known) return [known.version.id]
  const [model] = await store.readModels({ name })
  if (!model) return null
  const versions = await store.readVersions(model.id, everyVersion)
  const found = versions.filter(({ sha256 }) => digest === undefined || shortDigest(sha256) === digest)
  return found.length > 0 ? found.map(({ id }) => id) : null
}
