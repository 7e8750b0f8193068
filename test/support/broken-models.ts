/** Models that are wrong in one way each. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const starterModels = fileURLToPath(new URL('../../models', import.meta.url))
const benchModels = fileURLToPath(new URL('../../bench/models', import.meta.url))

interface Flaw {
  readonly engine: string
  readonly task: string
  readonly program: string
  readonly file: string
  readonly content: string
  readonly sha256?: string
}
const flaws: Readonly<Record<string, Flaw>> = {
  'no-graph': { engine: 'onnx', task: 'embedText', program: 'embed_text', file: 'model.onnx', content: 'no graph' },
  'no-gguf': {
    engine: 'llama_cpp',
    task: 'generateText',
    program: 'generate_text',
    file: 'model.gguf',
    content: 'no GGUF',
  },
  'wrong-digest': {
    engine: 'onnx',
    task: 'embedText',
    program: 'embed_text',
    file: 'model.onnx',
    content: 'x',
    sha256: '0'.repeat(64),
  },
  'no-engine': { engine: 'quantum', task: 'program', program: 'noop', file: 'model.bin', content: 'x' },
}

/** The environment of a server that finds them beside the good ones, and two folders that say nothing that could be listed. */
export async function withBrokenModels(): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-broken-'))
  for (const [name, flaw] of Object.entries(flaws)) {
    await addModel(folder, name, JSON.stringify(manifestOf(name, flaw)))
    await writeFile(join(folder, name, flaw.file), flaw.content)
  }
  await addModel(folder, 'half-written', '{ "name": ')
  await addModel(
    folder,
    'escaping',
    JSON.stringify(manifestOf('escaping', { ...flaws['no-graph']!, file: '../../secret' })),
  )
  return { HEARTH_MODEL_PATHS: [starterModels, benchModels, folder].join(',') }
}

async function addModel(folder: string, name: string, manifest: string): Promise<void> {
  await mkdir(join(folder, name))
  await writeFile(join(folder, name, 'model.json'), manifest)
}

function manifestOf(name: string, { engine, task, program, file, content, sha256 }: Flaw): object {
  const digest = sha256 ?? createHash('sha256').update(content).digest('hex')
  const files = [{ path: file, sha256: digest, sizeBytes: content.length, role: 'weights' }]
  return {
    name,
    task,
    license: 'Apache-2.0',
    engine,
    components: [{ name: 'component', format: file.slice(file.indexOf('.') + 1), files, dependsOn: [] }],
    graph: [{ node: 'node', program, components: ['component'], after: [] }],
    defaults: {},
    options: {},
    limits: { batchLimit: 4 },
    examplePrompts: [],
    source: [],
  }
}
