/** Model folders made on the spot, small and whole, for tests to damage. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class ModelFolders implements AsyncDisposable {
  readonly root: string
  private constructor(root: string) {
    this.root = root
  }

  static async make(): Promise<ModelFolders> {
    return new ModelFolders(await mkdtemp(join(tmpdir(), 'hearth-models-')))
  }

  /** Where a digest cache may live. */
  get cachePath(): string {
    return join(this.root, 'file-digests.json')
  }

  /** A folder `models/<name>` with a manifest that is true of the given files. `changes` are laid over the manifest. */
  async add(name: string, files: Readonly<Record<string, string | Uint8Array>>, changes: object = {}): Promise<string> {
    const directory = join(this.root, 'models', name)
    await mkdir(directory, { recursive: true })
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(directory, path, '..'), { recursive: true })
      await writeFile(join(directory, path), content)
    }
    await this.writeManifest(directory, { ...manifestOf(name, files), ...changes })
    return directory
  }

  async writeManifest(directory: string, manifest: object): Promise<void> {
    await writeFile(join(directory, 'model.json'), JSON.stringify(manifest))
  }

  get models(): string {
    return join(this.root, 'models')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true })
  }
}

export function manifestOf(name: string, files: Readonly<Record<string, string | Uint8Array>>) {
  const described = Object.entries(files).map(([path, content]) => ({
    path,
    sha256: createHash('sha256').update(content).digest('hex'),
    sizeBytes: Buffer.byteLength(content),
    role: 'weights',
  }))
  return {
    name,
    task: 'embedText',
    license: 'Apache-2.0',
    engine: 'onnx',
    components: [{ name: 'encoder', format: 'onnx', files: described, dependsOn: [] as string[] }],
    graph: [{ node: 'embed', program: 'embed_text', components: ['encoder'], after: [] as string[] }],
    limits: { batchLimit: 8 },
  }
}
