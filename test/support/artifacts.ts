/** Artifacts as tests need them: rows, and files in a folder of their own. */
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ArtifactFiles } from '../../src/runtime/artifacts/artifact-files.ts'
import type { ArtifactId, ArtifactRecord } from '../../src/store/records.ts'
import { dataFolder } from './data-folder.ts'

export function artifactRecord(details: Partial<ArtifactRecord> = {}): ArtifactRecord {
  return {
    id: 1 as ArtifactId,
    sha256: sha256('content'),
    mimeType: 'application/octet-stream',
    sizeBytes: 7,
    width: null,
    height: null,
    jobId: null,
    createdAt: 1000,
    ...details,
  }
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

export async function* pieces(...contents: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const content of contents) yield Buffer.from(content)
}

/** Removed when the test has ended. */
export async function artifactFiles(): Promise<{ readonly files: ArtifactFiles; readonly folder: string }> {
  const folder = join(await dataFolder(), 'artifacts')
  return { files: await ArtifactFiles.open(folder), folder }
}

/** Every file below a folder of artifacts, half-written ones too. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}
