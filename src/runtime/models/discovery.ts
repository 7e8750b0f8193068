/** Finds the models that stand in the model folders: folders with a `model.json`, checked against the files that lie in them. */
import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { DigestCache } from './digest-cache.ts'
import { bytesToRead, type FoundModel, verifySource } from './found-model.ts'
import { readFolder } from './model-source.ts'

export interface Discovery {
  /** In the order of the paths, then by folder name; names are unique. */
  readonly models: readonly FoundModel[]
  /** Folders whose `model.json` says nothing that could be listed, one sentence each. */
  readonly problems: readonly string[]
}

/** Told before the files of a model are read, which may take long. */
export type OnReading = (model: { readonly name: string; readonly directory: string; readonly bytes: number }) => void

/** Looks at every given folder itself and directly below it. Folders that are missing are problems, not errors. Saving what `digests` learnt is left to the caller. */
export async function discoverModels(
  modelPaths: readonly string[],
  digests: DigestCache,
  onReading: OnReading = () => {},
): Promise<Discovery> {
  const models = new Map<string, FoundModel>()
  const problems: string[] = []
  for (const directory of await candidateFolders(modelPaths, problems)) {
    const source = await readFolder(directory)
    if (source === null) continue
    if ('field' in source) {
      problems.push(source.message)
      continue
    }
    const { name } = source.manifest
    const first = models.get(name)
    if (first) {
      problems.push(`${directory} is left out: the name ${name} is already taken by ${first.directory}.`)
      continue
    }
    onReading({ name, directory, bytes: bytesToRead(source, digests).unreadBytes })
    models.set(name, await verifySource(source, digests))
  }
  return { models: [...models.values()], problems }
}

/** Absolute real paths, each once. */
async function candidateFolders(modelPaths: readonly string[], problems: string[]): Promise<Set<string>> {
  const folders = new Set<string>()
  for (const path of modelPaths) {
    try {
      const root = await realpath(path)
      folders.add(root)
      const entries = await readdir(root, { withFileTypes: true })
      const names = entries
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort()
      for (const name of names) folders.add(join(root, name))
    } catch (error) {
      problems.push(
        `The model folder ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      )
    }
  }
  return folders
}
