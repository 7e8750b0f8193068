/** infer: named tensors against the signature of a model, and their values or files against their shapes. */
import type { Signature } from '../../runtime/models/signature.ts'
import {
  type Dtype,
  elementCount,
  type FixedDtype,
  isDtype,
  isFixedDtype,
  itemBytes,
} from '../../runtime/workers/dtypes.ts'
import type { TensorInput } from '../app.ts'
import { isPictureType } from '../pictures/picture-header.ts'
import { artifactOf, type InputArtifact, type InputArtifacts, type StoredArtifact, stored } from './input-artifacts.ts'
import type { Problems } from './problems.ts'
import { checkSignature, type RequestOutline, tensorsMax } from './signature.ts'
import { checkValues, shapeText } from './tensor-values.ts'
import type { ValidationCache } from './validation-cache.ts'

export interface InferChecks {
  /** Null: what the model takes is not known. */
  readonly signature: Signature | null
  /** Of the model's version: names the signature in the cache. */
  readonly versionSha256: string
  readonly cache: ValidationCache
  readonly artifacts: InputArtifacts
  /** Largest input tensor, bytes. */
  readonly tensorBytesMax: number
  /** All tensors of a request that are given as values, bytes. */
  readonly valuesBytesMax: number
}

/** The accepted task. Values stay as they were given; the worker gets bytes (`tasks-for-workers.ts`). */
export interface InferRequest {
  readonly tensors: readonly InferTensor[]
  /** Null: all. */
  readonly outputs: readonly string[] | null
}
export type InferTensor = { readonly name: string; readonly dtype: Dtype; readonly shape: readonly number[] } & (
  | { readonly values: unknown }
  | { readonly artifact: StoredArtifact }
)

/** A text on its way to the worker has its length in front. */
const bytesPerText = 5

export function normaliseInfer(
  input: { readonly tensors: readonly TensorInput[]; readonly outputs?: readonly string[] | null },
  checks: InferChecks,
  problems: Problems,
): Record<string, unknown> {
  const outline: RequestOutline = { tensors: input.tensors, outputs: input.outputs ?? null }
  checkOutline(outline, checks, problems)
  const tensors: InferTensor[] = []
  let valuesBytes = 0
  for (const [index, tensor] of input.tensors.slice(0, tensorsMax).entries()) {
    const path = `tensors.${index}`
    const { name, dtype, shape, values, artifactId } = tensor
    if ((values == null) === (artifactId == null)) problems.add(path, 'give exactly one of values and artifactId.')
    else if (!isDtype(dtype) || !isPossible(dtype, shape, checks.tensorBytesMax)) continue
    else if (artifactId != null) {
      const found = artifactOf(`${path}.artifactId`, artifactId, checks.artifacts, problems)
      if (!found) continue
      checkFile(`${path}.artifactId`, dtype, shape, found, problems)
      tensors.push({ name, dtype, shape, artifact: stored(found.record) })
    } else {
      valuesBytes += checkValues(`${path}.values`, dtype, shape, values, problems)
      if (dtype === 'string') valuesBytes += elementCount(shape) * bytesPerText
      tensors.push({ name, dtype, shape, values })
    }
  }
  if (valuesBytes > checks.valuesBytesMax)
    problems.add(
      'tensors',
      `values may take at most ${checks.valuesBytesMax} bytes as tensors; given: ${valuesBytes}. Upload large tensors with PUT /uploads and give their artifactId.`,
    )
  return { tensors, outputs: outline.outputs } satisfies InferRequest
}

function checkOutline(outline: RequestOutline, checks: InferChecks, problems: Problems): void {
  const { signature, versionSha256, cache, tensorBytesMax } = checks
  if (outline.tensors.length > tensorsMax)
    return problems.add('tensors', `must have at most ${tensorsMax} tensors; given: ${outline.tensors.length}.`)
  if (!signature)
    return problems.add(
      'tensors',
      'what this model takes is not known, because its inputs cannot be read from its files; infer needs an ONNX model.',
    )
  const found = cache.check(versionSha256, outline, () => checkSignature(signature, outline, tensorBytesMax))
  for (const { path, message } of found) problems.add(path, message)
}

/** What is not was told by the check of the outline, and its values cannot be counted. */
function isPossible(dtype: Dtype, shape: readonly number[], bytesMax: number): boolean {
  const bytesEach = isFixedDtype(dtype) ? itemBytes[dtype] : 1
  return shape.every((length) => length >= 0) && elementCount(shape) * bytesEach <= bytesMax
}

/** Raw little-endian bytes of exactly the right number, or a `.npy` file that agrees. The worker tells them apart in the same way. */
function checkFile(
  path: string,
  dtype: Dtype,
  shape: readonly number[],
  { record, npy }: InputArtifact,
  problems: Problems,
): void {
  if (!isFixedDtype(dtype)) return problems.add(path, 'a tensor of texts has no form as a file; give its values.')
  const rawBytes = elementCount(shape) * itemBytes[dtype]
  if (record.sizeBytes === rawBytes) return
  if (isPictureType(record.mimeType))
    return problems.add(
      path,
      `is a picture (${record.mimeType}), and infer takes numbers: give its pixels as ${dtype} ${shapeText(shape)}, e.g. saved with numpy.save, or describe the model as an image classifier (docs/onnx.md).`,
    )
  const problem = npyProblem(dtype, shape, rawBytes, record.sizeBytes, npy)
  if (problem !== null) problems.add(path, problem)
}

function npyProblem(
  dtype: FixedDtype,
  shape: readonly number[],
  rawBytes: number,
  sizeBytes: number,
  npy: InputArtifact['npy'],
): string | null {
  const wanted = `${dtype} ${shapeText(shape)}`
  if (npy === null)
    return `${wanted} takes exactly ${rawBytes} bytes (little endian, last axis fastest), or a .npy file; this file has ${sizeBytes} bytes.`
  if (typeof npy === 'string') return npy
  if (npy.dtype !== dtype || shapeText(npy.shape) !== shapeText(shape))
    return `the .npy file holds ${npy.dtype} ${shapeText(npy.shape)}, not ${wanted}; give its own dtype and shape.`
  if (sizeBytes === npy.dataOffset + rawBytes) return null
  return `the .npy file should have ${npy.dataOffset + rawBytes} bytes and has ${sizeBytes}; it was cut off, so upload it again.`
}
