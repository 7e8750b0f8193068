/** The artifacts that submissions name, looked up before anything is checked, so that the check itself needs no waiting. */

import { elementCount, isFixedDtype, itemBytes } from '../../runtime/workers/dtypes.ts'
import type { ArtifactId, ArtifactRecord } from '../../store/records.ts'
import type { ArtifactReference, SubmitJobInput, TaskInput } from '../app.ts'
import type { Artifacts } from '../artifacts.ts'
import { type NpyHeader, npyHeaderBytesMax, readNpyHeader } from '../tensors/npy-header.ts'
import type { Problems } from './problems.ts'
import { tensorsMax } from './signature.ts'

export interface InputArtifact {
  readonly record: ArtifactRecord
  /** Read where it is given as a tensor and is no raw one; a text says what is wrong with it, null that it is no `.npy` file. */
  readonly npy: NpyHeader | string | null
}
export type InputArtifacts = ReadonlyMap<ArtifactId, InputArtifact>

/** As a request keeps it: the file stays what it is, whatever becomes of the row. */
export interface StoredArtifact {
  readonly artifactId: ArtifactId
  readonly sha256: string
  readonly mimeType: string
  readonly sizeBytes: number
}

/** Files that one task of a program may take. */
export const programArtifactsMax = 100
/** Files that all jobs of a submission may name together: each costs a look into the store. */
export const artifactsNamedMax = 10_000
/** Looked up at once. */
const lookupsAtOnceMax = 64

/** Null when there are more than `artifactsNamedMax`; then none is looked up. */
export async function findInputArtifacts(
  artifacts: Artifacts,
  inputs: readonly SubmitJobInput[],
): Promise<InputArtifacts | null> {
  const wanted = new Map<ArtifactId, { rawBytes: Set<number> }>()
  for (const { task } of inputs) for (const use of usesOf(task)) noteUse(wanted, use)
  if (wanted.size > artifactsNamedMax) return null
  const found = new Map<ArtifactId, InputArtifact>()
  const entries = [...wanted]
  for (let start = 0; start < entries.length; start += lookupsAtOnceMax)
    await Promise.all(
      entries.slice(start, start + lookupsAtOnceMax).map(async ([id, { rawBytes }]) => {
        const record = await artifacts.find(id)
        if (!record) return
        const isRaw = [...rawBytes].every((bytes) => bytes === record.sizeBytes)
        found.set(id, { record, npy: isRaw ? null : await readNpy(artifacts, record) })
      }),
    )
  return found
}

/** Null when there is a problem, which is told. */
export function artifactOf(
  path: string,
  reference: ArtifactReference,
  artifacts: InputArtifacts,
  problems: Problems,
): InputArtifact | null {
  if (typeof reference !== 'number') {
    problems.add(
      path,
      `${JSON.stringify(reference.malformed)} is not the id of an artifact; PUT /uploads answers with one.`,
    )
    return null
  }
  const found = artifacts.get(reference)
  if (!found) problems.add(path, 'no artifact of this id is here (any more); upload the file again with PUT /uploads.')
  return found ?? null
}

export function stored({ id, sha256, mimeType, sizeBytes }: ArtifactRecord): StoredArtifact {
  return { artifactId: id, sha256, mimeType, sizeBytes }
}

interface Use {
  readonly reference: ArtifactReference
  /** What a tensor of raw bytes must have exactly; null for what is no tensor. */
  readonly rawBytes: number | null
}

function usesOf({ classifyImage, upscaleImage, infer, program }: TaskInput): Use[] {
  const picture = (classifyImage ?? upscaleImage)?.image.artifactId
  if (picture != null) return [{ reference: picture, rawBytes: null }]
  // What is above a limit is refused without a look at it.
  if (program)
    return (program.artifactIds ?? []).slice(0, programArtifactsMax).map((reference) => ({ reference, rawBytes: null }))
  return (infer?.tensors ?? []).slice(0, tensorsMax).flatMap(({ artifactId, dtype, shape }) => {
    const bytesEach = isFixedDtype(dtype) ? itemBytes[dtype] : Number.NaN
    return artifactId == null ? [] : [{ reference: artifactId, rawBytes: elementCount(shape) * bytesEach }]
  })
}

function noteUse(wanted: Map<ArtifactId, { rawBytes: Set<number> }>, { reference, rawBytes }: Use): void {
  if (typeof reference !== 'number') return
  const uses = wanted.get(reference) ?? { rawBytes: new Set() }
  if (rawBytes !== null) uses.rawBytes.add(rawBytes)
  wanted.set(reference, uses)
}

/** Null also when the file is gone: its job will say so when it runs. */
async function readNpy(artifacts: Artifacts, { sha256 }: ArtifactRecord): Promise<NpyHeader | string | null> {
  const file = await artifacts.files.openForReading(sha256)
  if (!file) return null
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(npyHeaderBytesMax), 0, npyHeaderBytesMax, 0)
    return readNpyHeader(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}
