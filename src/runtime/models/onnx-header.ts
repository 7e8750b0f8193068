/**
 * What an ONNX file says of itself: inputs, outputs, versions, and the files in which it keeps weights. Weights are never read, whether they lie inside
 * the file or beside it. Hostile files end in an Error, after a bounded amount of work.
 */

import { type ByteSource, fileSource } from './byte-source.ts'
import { type ExternalTensor, externalTensors } from './onnx-external.ts'
import { onnxModel } from './onnx-shape.ts'
import { elementType } from './onnx-types.ts'
import type { Message } from './protobuf-message.ts'
import { type ProtobufLimits, readMessage } from './protobuf-reader.ts'
import { openRegularFile } from './regular-file.ts'
import type { Signature, TensorPort } from './signature.ts'

export interface OnnxHeader {
  readonly irVersion: number
  /** E.g. `pytorch 2.9.1`; null when it does not say. */
  readonly producer: string | null
  /** The standard operators have the domain ''. */
  readonly opsets: readonly { readonly domain: string; readonly version: number }[]
  readonly signature: Signature
  /** One entry for every tensor that is kept in another file, nested graphs included. */
  readonly externalData: readonly ExternalTensor[]
}

const limits: ProtobufLimits = {
  bytesReadMax: 256 * 1024 * 1024,
  fieldsMax: 10_000_000,
  valuesMax: 1_000_000,
  depthMax: 100,
  textBytesMax: 64 * 1024,
}
/** No tensor has more: its shape would not fit any request. */
const dimensionsMax = 64
const portsMax = 4096
/** Of all that is kept of the header, and sent to whoever asks. */
const toldCharsMax = 1024 * 1024
const optionalInputsSince = 4

/** Throws an Error that says what is wrong with the file. */
export async function readOnnxHeader(path: string): Promise<OnnxHeader> {
  await using file = await openRegularFile(path)
  return await parseOnnxHeader(await fileSource(file))
}

/** As `readOnnxHeader`, of what is open already. */
export async function parseOnnxHeader(source: ByteSource): Promise<OnnxHeader> {
  const model = await readMessage(source, onnxModel, limits)
  const graph = model.message('graph')
  const irVersion = model.integer('irVersion')
  const opsets = model
    .messages('opset')
    .map((opset) => ({ domain: opset.text('domain') ?? '', version: opset.integer('version') ?? 0 }))
  if (!graph || irVersion === null || opsets.length === 0)
    throw new Error('it has no graph, no format version or no operator set, so it is no ONNX model')
  const producer = [model.text('producerName'), model.text('producerVersion')].filter((text) => text).join(' ')
  const told = {
    irVersion,
    producer: producer === '' ? null : producer,
    opsets,
    signature: signatureOf(graph, irVersion),
  }
  if (JSON.stringify(told).length > toldCharsMax)
    throw new Error(`the names and shapes of its inputs and outputs have more than ${toldCharsMax} characters`)
  return { ...told, externalData: externalTensors(model) }
}

function signatureOf(graph: Message, irVersion: number): Signature {
  const constants = new Set([
    ...graph.messages('initializer').map((tensor) => tensor.text('name')),
    ...graph.messages('sparseInitializer').map((tensor) => tensor.message('values')?.text('name')),
  ])
  // Before format version 4 every constant was an input too; since then one that is can be replaced by a request.
  const inputs = graph.messages('input').filter((input) => !constants.has(input.text('name')))
  const outputs = graph.messages('output')
  if (outputs.length === 0) throw new Error('its graph has no outputs')
  if (inputs.length + outputs.length > portsMax)
    throw new Error(`its graph has ${inputs.length + outputs.length} inputs and outputs; at most ${portsMax} are read`)
  checkNames(inputs, 'input')
  checkNames(outputs, 'output')
  const alien = inputs.find((input) => !isTensor(input))
  if (alien)
    throw new Error(`its input ${nameOf(alien)} is a ${typeInWords(alien.message('type'))}; inputs must be tensors`)
  const defaults = irVersion < optionalInputsSince ? [] : replaceable(graph, constants)
  return {
    inputs: inputs.map(portOf),
    ...(defaults.length > 0 ? { optionalInputs: defaults.map(portOf) } : {}),
    outputs: outputs.filter(isTensor).map(portOf),
    others: outputs
      .filter((output) => !isTensor(output))
      .map((output) => ({ name: nameOf(output), type: typeInWords(output.message('type')) })),
  }
}

function replaceable(graph: Message, constants: ReadonlySet<string | null | undefined>): Message[] {
  const inputs = graph.messages('input').filter((input) => constants.has(input.text('name')) && isTensor(input))
  checkNames(inputs, 'input')
  return inputs.length > portsMax ? [] : inputs
}

function checkNames(ports: readonly Message[], what: string): void {
  const names = new Set<string>()
  for (const port of ports) {
    const name = nameOf(port)
    if (name === '') throw new Error(`its graph has an ${what} without a name`)
    if (names.has(name)) throw new Error(`its graph has two ${what}s of the name ${name}`)
    names.add(name)
  }
}

function nameOf(port: Message): string {
  return port.text('name') ?? ''
}

function isTensor(port: Message): boolean {
  return port.message('type')?.has('tensor') ?? false
}

function portOf(port: Message): TensorPort {
  const type = port.message('type')?.message('tensor')
  const shape = type?.message('shape')
  const dimensions = shape?.messages('dim') ?? []
  if (dimensions.length > dimensionsMax)
    throw new Error(`its tensor ${nameOf(port)} has ${dimensions.length} dimensions; at most ${dimensionsMax} are read`)
  return {
    name: nameOf(port),
    dtype: elementType(type?.integer('elementType') ?? null).name,
    shape: shape ? dimensions.map(dimensionOf) : null,
  }
}

/** Negative lengths are how some exporters write "any". */
function dimensionOf(dimension: Message): number | string | null {
  const length = dimension.integer('dimValue')
  if (length !== null && length >= 0) return length
  const symbol = dimension.text('dimParam')
  return symbol === null || symbol === '' ? null : symbol
}

/** E.g. `sequence of map of int64 to float32`. */
function typeInWords(type: Message | null): string {
  const tensor = type?.message('tensor')
  if (tensor) return `tensor of ${elementType(tensor.integer('elementType')).name}`
  const sparse = type?.message('sparse')
  if (sparse) return `sparse tensor of ${elementType(sparse.integer('elementType')).name}`
  const sequence = type?.message('sequence')
  if (sequence) return `sequence of ${itemInWords(sequence.message('element'))}`
  const optional = type?.message('optional')
  if (optional) return `optional ${itemInWords(optional.message('element'))}`
  const map = type?.message('map')
  if (map) return `map of ${elementType(map.integer('keyType')).name} to ${itemInWords(map.message('value'))}`
  return 'value of an unknown type'
}

/** Of scalars inside a map or sequence ONNX says that they are tensors. */
function itemInWords(type: Message | null): string {
  const words = typeInWords(type)
  return words.startsWith('tensor of ') ? words.slice('tensor of '.length) : words
}
