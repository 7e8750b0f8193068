/** Manifests for single model files, which say of themselves what a `model.json` would. Digests are filled in once the files have been read. */
import { stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { externalFiles } from './external-data.ts'
import { type GgufHeader, readGgufHeader } from './gguf-header.ts'
import type { GgufValue } from './gguf-values.ts'
import type { Manifest, ManifestFile } from './manifest.ts'
import { readOnnxHeader } from './onnx-header.ts'
import { textModelWorkingBytes } from './planned-memory.ts'
import type { Signature } from './signature.ts'
import { slugOf } from './slug.ts'

/** Stands in a manifest for the digest of a file that has not been read yet. */
const unreadDigest = ''
export const modelFileExtensions: readonly string[] = ['.gguf', '.onnx']

/** `path` is absolute. Throws an Error that says why the file cannot be a model. */
export function manifestOfFile(path: string, name: string | null): Promise<Manifest> {
  return path.toLowerCase().endsWith('.gguf') ? manifestOfGguf(path, name) : manifestOfOnnx(path, name)
}

/** Requests that may share a step of a graph whose inputs and outputs all begin with the same symbolic dimension. */
const rowsTogether = 32

async function manifestOfOnnx(path: string, name: string | null): Promise<Manifest> {
  const graph = basename(path)
  const { signature, externalData } = await readOnnxHeader(path)
  const weights = externalFiles(graph, externalData).map((file) => fileEntry(path, file.path, 'weights'))
  return {
    ...whatNoFileSays,
    name: name ?? nameFromPath(path),
    task: 'infer',
    engine: 'onnx',
    components: [
      {
        name: 'graph',
        format: 'onnx',
        files: await Promise.all([fileEntry(path, graph, 'graph'), ...weights]),
        dependsOn: [],
      },
    ],
    graph: [{ node: 'infer', program: 'infer', components: ['graph'], after: [] }],
    limits: { batchLimit: shareFirstDimension(signature) ? rowsTogether : 1 },
  }
}

/** What exporters call a length that has no name: tf2onnx, paddle2onnx, PyTorch. The worker knows them too (`probe_rows.py`). */
const nameless = /^(unk__\d+|(p2o\.)?DynamicDimension\.\d+|\w+_dim_\d+)$/

/** Whether rows of several requests may stand side by side, as far as shapes tell; the worker tries it before it does so. */
function shareFirstDimension({ inputs, outputs }: Signature): boolean {
  const first = [...inputs, ...outputs].map(({ shape }) => shape?.[0])
  // Null is a length without a name, as scikit-learn's exporter leaves it.
  const areFree = first.every((length) => length === null || typeof length === 'string')
  const names = new Set(first.filter((length) => length !== null && !nameless.test(String(length))))
  return inputs.length > 0 && areFree && names.size <= 1
}

/** Texts at once; fewer where their contexts would need more memory than the model itself. */
const slotsMax = 4
const contextTokensMax = 4096
/** Some files hold the name of their license, others its whole text. */
const licenseCharsMax = 1000

async function manifestOfGguf(path: string, name: string | null): Promise<Manifest> {
  const header = await readGgufHeader(path)
  const { architecture, values } = header
  const parts = values.get('split.count')
  if (typeof parts === 'number' && parts > 1)
    throw new Error(`it is one of ${parts} parts; join them first with llama-gguf-split --merge`)
  const contextTokens = values.get(`${architecture}.context_length`)
  if (!isCount(contextTokens) || !values.has('tokenizer.ggml.tokens'))
    throw new Error(`it is no language model: its header (${architecture}) has no context length, or no vocabulary`)
  if (values.get(`${architecture}.attention.causal`) === false)
    throw new Error(`it is an encoder (${architecture}), which writes no text`)
  const file = await fileEntry(path, basename(path), 'weights')
  const options = slotsThatFit(header, Math.min(contextTokens, contextTokensMax), file.sizeBytes)
  const called = values.get('general.name')
  const license = values.get('general.license')
  return {
    ...whatNoFileSays,
    name: name ?? slugOf(typeof called === 'string' ? called : '') ?? nameFromPath(path),
    task: 'generateText',
    license: typeof license === 'string' ? license.slice(0, licenseCharsMax) : null,
    engine: 'llama_cpp',
    components: [{ name: 'language-model', format: 'gguf', files: [file], dependsOn: [] }],
    graph: [{ node: 'generate', program: 'generate_text', components: ['language-model'], after: [] }],
    defaults: { maxTokens: Math.min(256, options.contextTokens) },
    options,
    limits: { batchLimit: options.slots, maxTokens: options.contextTokens },
  }
}

function isCount(value: GgufValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

function slotsThatFit(
  header: GgufHeader,
  contextTokens: number,
  weightsBytes: number,
): { slots: number; contextTokens: number } {
  let slots = slotsMax
  while (slots > 1 && textModelWorkingBytes(header, { slots, contextTokens }) > weightsBytes) slots -= 1
  return { slots, contextTokens }
}

const whatNoFileSays = { license: null, defaults: {}, options: {}, examplePrompts: [], source: [] }

async function fileEntry(modelPath: string, path: string, role: string): Promise<ManifestFile> {
  // A missing one has no bytes: the inspection of the files tells that it is missing.
  const sizeBytes = await stat(join(dirname(modelPath), path)).then(
    ({ size }) => size,
    () => 0,
  )
  return { path, sha256: unreadDigest, sizeBytes, role }
}

/** Files are often called `model`; their folder then says more. */
function nameFromPath(path: string): string {
  const stem = basename(path, extname(path))
  const folder = basename(dirname(path))
  return (stem === 'model' ? slugOf(folder) : null) ?? slugOf(stem) ?? slugOf(folder) ?? 'model'
}
