/**
 * Named tensors against what a model takes: names, dtypes and shapes, without a look at any value. The answer depends on nothing but the model's
 * version and this outline, so it can be kept (`validation-cache.ts`).
 */
import type { Signature, TensorPort } from '../../runtime/models/signature.ts'
import { dtypeNames, elementCount, isDtype, isFixedDtype, itemBytes } from '../../runtime/workers/dtypes.ts'
import type { FieldProblem } from '../errors.ts'
import { Problems } from './problems.ts'
import { shapeText } from './tensor-values.ts'

export interface TensorOutline {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
}
export interface RequestOutline {
  readonly tensors: readonly TensorOutline[]
  /** Null: all. */
  readonly outputs: readonly string[] | null
}

/** Of one request. */
export const tensorsMax = 1000
/** As many dimensions as numpy has. */
const dimensionsMax = 64
/** What the lengths of a tensor without elements may multiply to beside the 0: numpy reckons its strides with them, in 64 bits. */
const emptyElementsMax = 2 ** 53
/** Ports of a model that an error names. */
const namedMax = 20
/** Of a name that nobody knows, so much is repeated to the caller. */
const nameCharsShown = 80

/** What is wrong, with paths that begin at the task's input (`tensors.0.shape.1`). */
export function checkSignature(
  signature: Signature,
  outline: RequestOutline,
  tensorBytesMax: number,
): readonly FieldProblem[] {
  const problems = new Problems('')
  const known = [...signature.inputs, ...(signature.optionalInputs ?? [])]
  const ports = new Map(known.map((port) => [port.name, port]))
  const bindings = new Map<string, Binding>()
  const given = new Set<string>()
  for (const [index, tensor] of outline.tensors.entries()) {
    if (problems.isFull) return problems.found
    const path = `tensors.${index}`
    const port = ports.get(tensor.name)
    if (!port)
      problems.add(`${path}.name`, `this model has no input ${quoted(tensor.name)}; it takes ${inWords(known)}.`)
    else if (given.has(tensor.name))
      problems.add(`${path}.name`, `the input ${quoted(tensor.name)} is given twice; give each input once.`)
    given.add(tensor.name)
    checkSize(path, tensor, tensorBytesMax, problems)
    if (port) checkPort(path, tensor, port, bindings, problems)
  }
  for (const port of signature.inputs)
    if (!given.has(port.name)) problems.add('tensors', `the input ${portInWords(port)} is missing.`)
  if (outline.outputs !== null) checkOutputs(signature, outline.outputs, problems)
  return problems.found
}

interface Binding {
  readonly length: number
  readonly tensor: string
}

function checkPort(
  path: string,
  { name, dtype, shape }: TensorOutline,
  port: TensorPort,
  bindings: Map<string, Binding>,
  problems: Problems,
): void {
  if (isDtype(dtype) && dtype !== port.dtype)
    problems.add(`${path}.dtype`, `the input ${quoted(name)} takes ${port.dtype}; given: ${dtype}.`)
  if (port.shape === null) return
  if (port.shape.length !== shape.length) {
    const wanted = `${port.shape.length} dimension${port.shape.length === 1 ? '' : 's'}, ${shapeText(port.shape)}`
    problems.add(`${path}.shape`, `the input ${quoted(name)} has ${wanted}; given: ${shapeText(shape)}.`)
    return
  }
  for (const [axis, wanted] of port.shape.entries()) {
    const length = shape[axis] ?? 0
    if (wanted === null) continue
    if (typeof wanted === 'string') bind(`${path}.shape.${axis}`, wanted, { length, tensor: name }, bindings, problems)
    else if (length !== wanted)
      problems.add(
        `${path}.shape.${axis}`,
        `must be ${wanted}: the input ${quoted(name)} has the shape ${shapeText(port.shape)}; given: ${length}.`,
      )
  }
}

/** Equal names of dimensions stand for equal lengths, over all inputs of a request. */
function bind(
  path: string,
  symbol: string,
  binding: Binding,
  bindings: Map<string, Binding>,
  problems: Problems,
): void {
  const earlier = bindings.get(symbol)
  if (!earlier) bindings.set(symbol, binding)
  else if (earlier.length !== binding.length) {
    const where =
      earlier.tensor === binding.tensor
        ? `${symbol} is both ${earlier.length} and ${binding.length} in \`${binding.tensor}\``
        : `${symbol} is ${earlier.length} in \`${earlier.tensor}\` and ${binding.length} in \`${binding.tensor}\``
    problems.add(path, `${where}; give both the same length.`)
  }
}

function checkSize(path: string, { dtype, shape }: TensorOutline, bytesMax: number, problems: Problems): void {
  if (!isDtype(dtype))
    problems.add(`${path}.dtype`, `must be one of ${dtypeNames.join(', ')}; given: ${quoted(dtype)}.`)
  if (shape.length > dimensionsMax)
    return problems.add(`${path}.shape`, `must have at most ${dimensionsMax} dimensions; given: ${shape.length}.`)
  let isShape = true
  for (const [axis, length] of shape.entries()) {
    if (length >= 0) continue
    isShape = false
    problems.add(`${path}.shape.${axis}`, `must not be negative; give the actual length; given: ${length}.`)
  }
  if (!isShape) return
  const bytes = elementCount(shape) * (isFixedDtype(dtype) ? itemBytes[dtype] : 1)
  if (bytes > bytesMax)
    problems.add(
      `${path}.shape`,
      `a tensor takes at most ${bytesMax} bytes (HEARTH_MAX_TENSOR_BYTES); ${shapeText(shape)} of ${dtype} takes ${bytes}. Split the request.`,
    )
  else if (elementCount(shape.filter((length) => length > 0)) > emptyElementsMax)
    problems.add(`${path}.shape`, `no array can have the lengths ${shapeText(shape)}, even without elements.`)
}

function checkOutputs(signature: Signature, outputs: readonly string[], problems: Problems): void {
  const known = [...signature.outputs, ...signature.others].map(({ name }) => name)
  const names = new Set(known)
  if (outputs.length === 0) problems.add('outputs', 'must name at least one output; leave it out to get all of them.')
  const asked = new Set<string>()
  for (const [index, name] of outputs.entries()) {
    if (problems.isFull) return
    if (!names.has(name))
      problems.add(
        `outputs.${index}`,
        `this model has no output ${quoted(name)}; it gives ${known.slice(0, namedMax).join(', ')}.`,
      )
    else if (asked.has(name)) problems.add(`outputs.${index}`, `the output ${quoted(name)} is asked for twice.`)
    asked.add(name)
  }
}

function inWords(ports: readonly TensorPort[]): string {
  if (ports.length === 0) return 'none'
  const more = ports.length > namedMax ? ` and ${ports.length - namedMax} more` : ''
  return ports.slice(0, namedMax).map(portInWords).join(', ') + more
}

function portInWords({ name, dtype, shape }: TensorPort): string {
  return `\`${name}\` (${dtype} ${shape === null ? 'of any shape' : shapeText(shape)})`
}

function quoted(name: string): string {
  return JSON.stringify(name.length > nameCharsShown ? `${name.slice(0, nameCharsShown)}...` : name)
}
