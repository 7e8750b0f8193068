/** What lies at a path: a folder with a manifest, or a model file, looked at without reading it whole. */
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { FileIdentity } from './file-identity.ts'
import { type HeaderFacts, readHeaderFacts } from './header-facts.ts'
import { hasPickleName, type InspectedComponent, inspectComponents, isPickle, pickleProblem } from './inspect-files.ts'
import { manifestOfFile, modelFileExtensions } from './made-manifests.ts'
import type { Manifest } from './manifest.ts'
import { manifestName, readManifestFile } from './manifest-file.ts'
import { type PlannedMemory, planMemory, plannedWeights } from './planned-memory.ts'

export interface ModelSource {
  /** Without digests where `manifestFile` is null. */
  readonly manifest: Manifest
  /** Absolute, without symbolic links. */
  readonly directory: string
  /** Null: the manifest was made from the file's own header. */
  readonly manifestFile: { readonly path: string; readonly identity: FileIdentity } | null
  readonly components: readonly InspectedComponent[]
  readonly header: HeaderFacts
  readonly memory: PlannedMemory
  /** Why it cannot be run, one sentence each. None = nothing speaks against it so far. */
  readonly problems: readonly string[]
}
export interface Wish {
  /** Null: as the manifest or the file has it. */
  readonly name: string | null
  readonly task: string | null
}
/** What a person has to mend before it could even be listed. */
export interface SourceProblem {
  readonly field: 'path' | 'task'
  readonly message: string
}

const asItSays: Wish = { name: null, task: null }

/** `path` is absolute. Rejects with the error of the file system when nothing can be read there. */
export async function readSource(path: string, wish: Wish): Promise<ModelSource | SourceProblem> {
  const stats = await stat(path)
  if (stats.isDirectory()) {
    const source = await readFolder(path, wish)
    return source ?? readOnlyModelFile(path, wish)
  }
  if (basename(path) === manifestName) return readSource(dirname(path), wish)
  if (!stats.isFile()) return problem(`${path} is neither a file nor a folder.`)
  return readModelFile(path, wish)
}

/** A folder with a manifest; null when it has none. */
export async function readFolder(path: string, wish: Wish = asItSays): Promise<ModelSource | SourceProblem | null> {
  const directory = await realpath(path)
  const found = await readManifestFile(directory)
  if (found === null) return null
  if (typeof found === 'string') return problem(found)
  const { manifestFile } = found
  const manifest = wish.name === null ? found.manifest : { ...found.manifest, name: wish.name }
  const misfit = wrongTask(wish, manifest, `Change \`task\` in ${manifestFile.path}, with a program that does it.`)
  return misfit ?? look(manifest, directory, manifestFile)
}

async function readOnlyModelFile(directory: string, wish: Wish): Promise<ModelSource | SourceProblem> {
  const names = await readdir(directory)
  const models = names.filter(isModelFile)
  const [only] = models
  if (only !== undefined && models.length === 1) return readModelFile(join(directory, only), wish)
  if (models.length > 1)
    return problem(
      `${directory} holds several model files and no ${manifestName}; give one of them: ${models.join(', ')}.`,
    )
  const pickle = names.find(hasPickleName)
  if (pickle !== undefined) return problem(pickleProblem(join(directory, pickle)))
  return problem(
    `${directory} holds no model: there is neither a ${manifestName} nor a .gguf or .onnx file. docs/models.md shows how a ${manifestName} is written.`,
  )
}

async function readModelFile(path: string, wish: Wish): Promise<ModelSource | SourceProblem> {
  if (!(await stat(path)).isFile()) return problem(`${path} is no file.`)
  if (await isPickle(path)) return problem(pickleProblem(path))
  if (!isModelFile(path))
    return problem(
      `${path} is no file that is a model by itself; .gguf and .onnx files are. Anything else needs a folder with a ${manifestName}, see docs/models.md.`,
    )
  let manifest: Manifest
  try {
    manifest = await manifestOfFile(path, wish.name)
  } catch (error) {
    return problem(`${path} cannot be used: ${error instanceof Error ? error.message : String(error)}.`)
  }
  const another = `For anything else it needs a folder with a ${manifestName}, see docs/models.md.`
  return wrongTask(wish, manifest, another) ?? look(manifest, await realpath(dirname(path)), null)
}

async function look(
  manifest: Manifest,
  directory: string,
  manifestFile: ModelSource['manifestFile'],
): Promise<ModelSource> {
  const components = await inspectComponents(manifest, directory)
  const problems = components.flatMap(({ files }) => files).flatMap((file) => file.problem ?? [])
  const unknown = {
    header: { signature: null, metadata: {}, problems: [] },
    memory: { ...plannedWeights(manifest), workingBytes: 0 },
  }
  const facts = { manifest, directory, manifestFile, components }
  // What is unsound is not read any further: a link may lead to anything.
  if (problems.length > 0) return { ...facts, ...unknown, problems }
  const header = await readHeaderFacts(manifest, directory)
  const memory = await planMemory(manifest, directory).catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  )
  return {
    ...facts,
    header,
    memory: typeof memory === 'string' ? unknown.memory : memory,
    problems: [...header.problems, ...(typeof memory === 'string' ? [memory] : [])],
  }
}

function wrongTask(wish: Wish, manifest: Manifest, otherwise: string): SourceProblem | null {
  if (wish.task === null || wish.task === manifest.task) return null
  return { field: 'task', message: `${manifest.name} does ${manifest.task}, not ${wish.task}. ${otherwise}` }
}

function isModelFile(path: string): boolean {
  return modelFileExtensions.includes(extname(path).toLowerCase())
}

function problem(message: string): SourceProblem {
  return { field: 'path', message }
}
