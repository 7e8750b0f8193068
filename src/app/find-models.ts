/** At start: the models in the model folders, and those that were registered by path, as they lie there now. */
import type { DigestCache } from '../runtime/models/digest-cache.ts'
import { discoverModels, type OnReading } from '../runtime/models/discovery.ts'
import { bytesToRead, type FoundModel, verifySource } from '../runtime/models/found-model.ts'
import { readSource } from '../runtime/models/model-source.ts'
import type { RegistrationRecord } from '../store/records.ts'
import { locateModel } from './model-paths.ts'
import type { Origin } from './model-reader.ts'
import type { ModelRegistry } from './model-registry.ts'

export interface FoundModels {
  readonly models: readonly { readonly origin: Origin; readonly found: FoundModel }[]
  /** Registrations whose files cannot be used now; they are looked for again and again. */
  readonly missing: readonly Origin[]
  /** What was left out, one sentence each. */
  readonly problems: readonly string[]
}

/** From so many unread bytes on, whoever starts the server is told what it does. */
const largeBytes = 256 * 1024 * 1024

export async function findModels(
  folders: readonly string[],
  registrations: readonly RegistrationRecord[],
  digests: DigestCache,
): Promise<FoundModels> {
  const discovery = await discoverModels(folders, digests, tellOfLarge)
  const models: { origin: Origin; found: FoundModel }[] = discovery.models.map((found) => ({
    origin: { name: found.manifest.name, path: found.directory, task: null, isRegistered: false },
    found,
  }))
  const taken = new Map(models.map(({ origin }) => [origin.name, origin.path]))
  const missing: Origin[] = []
  const problems = [...discovery.problems]
  for (const { name, path, task } of registrations) {
    const first = taken.get(name)
    // A folder that was registered and stands in a model folder is found twice.
    if (first === path) continue
    if (first !== undefined) {
      problems.push(`${path}, registered as ${name}, is left out: the name is taken by ${first}.`)
      continue
    }
    const origin: Origin = { name, path, task, isRegistered: true }
    const found = await readRegistered(origin, folders, digests)
    if (typeof found !== 'string') models.push({ origin, found })
    else {
      problems.push(`${path}, registered as ${name}, is left out: ${found}`)
      missing.push(origin)
    }
  }
  // What is not kept is read again by the next start.
  await digests.save().catch(() => {})
  return { models, missing, problems }
}

/** The registry and the catalogue know them from now on, and the scheduler those that can run. */
export async function addFoundModels(registry: ModelRegistry, { models, missing }: FoundModels): Promise<void> {
  await Promise.all(models.map(({ origin, found }) => registry.addFound(origin, found)))
  for (const origin of missing) registry.addMissing(origin)
}

/** Or why it cannot be used now. */
async function readRegistered(
  { name, path, task }: Origin,
  folders: readonly string[],
  digests: DigestCache,
): Promise<FoundModel | string> {
  try {
    const located = await locateModel(path, folders)
    if (typeof located !== 'string') return located.message
    const source = await readSource(path, { name, task })
    if ('field' in source) return source.message
    tellOfLarge({ name, directory: source.directory, bytes: bytesToRead(source, digests).unreadBytes })
    return await verifySource(source, digests)
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}.`
  }
}

const tellOfLarge: OnReading = ({ name, directory, bytes }) => {
  if (bytes < largeBytes) return
  console.log(`Reading ${(bytes / 1e9).toFixed(1)} GB of ${name} in ${directory}, once, to verify them.`)
}
