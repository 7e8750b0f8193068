/** An output as the store keeps it: tensors as the bytes they are. Lists are made when somebody reads them. */
import { pack, unpack } from 'msgpackr'
import type { FixedDtype } from '../../runtime/workers/dtypes.ts'
import type { ArtifactId } from '../../store/records.ts'
import type { JobOutput, OutputTensorView } from '../app.ts'
import { nestedTexts, valuesOfBytes } from '../tensors/values.ts'

type OutputOf<Kind extends JobOutput['kind']> = Extract<JobOutput, { kind: Kind }>

export type StoredOutput =
  | OutputOf<'images'>
  | OutputOf<'text'>
  | OutputOf<'classification'>
  | OutputOf<'program'>
  | {
      readonly kind: 'embeddings'
      readonly count: number
      readonly dimensions: number
      /** float32, little endian; null = in the artifact. */
      readonly data: Uint8Array | null
      readonly artifactId: ArtifactId | null
    }
  | { readonly kind: 'tensors'; readonly tensors: readonly StoredTensor[] }
/** Exactly one of the last three is set. */
export interface StoredTensor {
  readonly name: string
  readonly dtype: FixedDtype | 'string'
  readonly shape: readonly number[]
  readonly data: Uint8Array | null
  readonly texts: readonly string[] | null
  readonly artifactId: ArtifactId | null
}

export function encodeOutput(output: StoredOutput): Uint8Array {
  return pack(output)
}

export function decodeOutput(bytes: Uint8Array): JobOutput {
  const stored: StoredOutput = unpack(bytes)
  switch (stored.kind) {
    case 'images':
    case 'text':
    case 'classification':
      return stored
    case 'program':
      // Rows of earlier versions have none.
      return { ...stored, artifactIds: stored.artifactIds ?? [] }
    case 'embeddings': {
      const { kind, count, dimensions, data, artifactId } = stored
      return {
        kind,
        count,
        dimensions,
        embeddings: data && rows(data, count, dimensions),
        artifactId: artifactId ?? null,
      }
    }
    case 'tensors':
      return { kind: 'tensors', tensors: stored.tensors.map(tensorView) }
    default:
      return stored satisfies never
  }
}

function tensorView({ name, dtype, shape, data, texts, artifactId }: StoredTensor): OutputTensorView {
  return {
    name,
    dtype,
    shape,
    artifactId,
    get values(): unknown {
      if (texts) return nestedTexts(shape, texts)
      return data && dtype !== 'string' ? valuesOfBytes(dtype, shape, data) : null
    },
  }
}

function rows(data: Uint8Array, count: number, dimensions: number): Float32Array[] {
  // A copy, because a view of float32 must begin at a multiple of four and the bytes come from the middle of a message.
  // Not `slice`, which on a Buffer is a view of the whole pool.
  const floats = new Float32Array(new Uint8Array(data).buffer)
  return Array.from({ length: count }, (_, row) => floats.subarray(row * dimensions, (row + 1) * dimensions))
}
