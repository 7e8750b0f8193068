/** What the headers of a model's files say, once the files have been found sound: checked against the manifest, before anything is loaded. */
import { join } from 'node:path'
import { externalFiles, tooShort } from './external-data.ts'
import { type GgufHeader, readGgufHeader } from './gguf-header.ts'
import type { Manifest, ManifestComponent } from './manifest.ts'
import { type OnnxHeader, readOnnxHeader } from './onnx-header.ts'
import { readSafetensorsHeader } from './safetensors-header.ts'
import type { Signature } from './signature.ts'

export interface HeaderFacts {
  /** Of the only graph; null where there is none, or several. */
  readonly signature: Signature | null
  /** By component; for people. */
  readonly metadata: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Why the model cannot be run, one sentence each. */
  readonly problems: readonly string[]
}

export async function readHeaderFacts(manifest: Manifest, directory: string): Promise<HeaderFacts> {
  const problems: string[] = []
  const metadata: Record<string, Readonly<Record<string, unknown>>> = {}
  const signatures: Signature[] = []
  for (const component of manifest.components) {
    const { format, name } = component
    // A worker goes by the engine, whatever the format is called.
    if (format === 'onnx' || manifest.engine === 'onnx')
      for (const { path } of component.files.filter(({ role }) => role === 'graph')) {
        const header = await orProblem(path, () => readOnnxHeader(join(directory, path)), problems)
        if (header === null) continue
        signatures.push(header.signature)
        metadata[name] = onnxMetadata(header)
        problems.push(...externalDataProblems(component, path, header))
      }
    if (format === 'gguf' || manifest.engine === 'llama_cpp')
      for (const { path } of component.files.filter(({ role }) => role === undefined || role === 'weights')) {
        // What is wrong with one is told by the planning of memory, which reads it too.
        const header = await orProblem(path, () => readGgufHeader(join(directory, path)), [])
        if (header !== null) metadata[name] = ggufMetadata(header)
      }
    for (const { path } of component.files.filter((file) => file.path.endsWith('.safetensors')))
      await orProblem(path, () => readSafetensorsHeader(join(directory, path)), problems)
  }
  return { signature: signatures.length === 1 ? (signatures[0] ?? null) : null, metadata, problems }
}

async function orProblem<Header>(
  path: string,
  read: () => Promise<Header>,
  problems: string[],
): Promise<Header | null> {
  try {
    return await read()
  } catch (error) {
    problems.push(`${path} cannot be used: ${error instanceof Error ? error.message : String(error)}.`)
    return null
  }
}

function externalDataProblems(component: ManifestComponent, graphPath: string, header: OnnxHeader): string[] {
  try {
    return externalFiles(graphPath, header.externalData).flatMap((external) => {
      const listed = component.files.find(({ path }) => path === external.path)
      if (listed) return tooShort(graphPath, external, listed.sizeBytes) ?? []
      return [
        `${graphPath} keeps weights in ${external.path}, which the manifest does not list; add it to the files of ${component.name}, with the role "weights".`,
      ]
    })
  } catch (error) {
    return [`${error instanceof Error ? error.message : String(error)}.`]
  }
}

function onnxMetadata({ irVersion, producer, opsets }: OnnxHeader): Readonly<Record<string, unknown>> {
  return {
    format: 'onnx',
    irVersion,
    producer,
    opsets: Object.fromEntries(opsets.map(({ domain, version }) => [domain === '' ? 'ai.onnx' : domain, version])),
  }
}

const textCharsMax = 200
const chatTemplateKey = 'tokenizer.chat_template'

function ggufMetadata({ architecture, values }: GgufHeader): Readonly<Record<string, unknown>> {
  const scalar = (key: string) => {
    const value = values.get(key)
    if (typeof value === 'string') return value.slice(0, textCharsMax)
    return typeof value === 'object' ? null : (value ?? null)
  }
  return {
    format: 'gguf',
    architecture,
    name: scalar('general.name'),
    contextTokens: scalar(`${architecture}.context_length`),
    layers: scalar(`${architecture}.block_count`),
    hasChatTemplate: typeof values.get(chatTemplateKey) === 'string',
  }
}
