/**
 * What an ONNX file says of itself: inputs, outputs, versions, and the files in which it keeps weights. Weights are never read, whether they lie inside
 * the file or beside it. Hostile files end in an Error, after a bounded amount of work.
 */

import { type ByteSource, fileSource } from './byte-source.ts'
import { onnxModel } from './onnx-shape.ts'
import { elementType } from './onnx-types.ts'
import { type Message, type ProtobufLimits, readMessage } from './protobuf-reader.ts'
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

export interface ExternalTensor {
  readonly tensor: string
  /** As the file gives it: to be checked before it is opened. */
  readonly location: string
  readonly offset: number
  readonly lengthBytes: number
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
  return { ...told, externalData: [...tensorsOf(model)].flatMap((tensor) => externalTensor(tensor) ?? []) }
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

/** Every tensor of the file, wherever a graph is nested. An own stack: the depth of the file is not that of calls. */
function* tensorsOf(model: Message): Generator<Message> {
  const graphs = [
    ...model.messages('graph'),
    ...model
      .messages('training')
      .flatMap((training) => [...training.messages('initialization'), ...training.messages('algorithm')]),
    // A function has nodes as a graph has.
    ...model.messages('function'),
  ]
  for (let graph = graphs.pop(); graph; graph = graphs.pop()) {
    yield* graph.messages('initializer')
    yield* graph.messages('sparseInitializer').flatMap(partsOfSparse)
    for (const attribute of graph.messages('node').flatMap((node) => node.messages('attribute'))) {
      yield* attribute.messages('tensor')
      yield* attribute.messages('tensors')
      yield* [...attribute.messages('sparseTensor'), ...attribute.messages('sparseTensors')].flatMap(partsOfSparse)
      graphs.push(...attribute.messages('graph'), ...attribute.messages('graphs'))
    }
  }
}

function partsOfSparse(sparse: Message): Message[] {
  return [...sparse.messages('values'), ...sparse.messages('indices')]
}

const external = 1

/** Null for a tensor whose data lie in the file itself. */
function externalTensor(tensor: Message): ExternalTensor | null {
  const facts = new Map(tensor.messages('externalData').map((pair) => [pair.text('key'), pair.text('value') ?? '']))
  if (tensor.integer('dataLocation') !== external) return null
  const name = tensor.text('name') ?? ''
  const location = facts.get('location')
  if (location === undefined || location === '')
    throw new Error(`its tensor ${name} is kept in another file and does not say in which`)
  const offset = byteCount(facts.get('offset') ?? '0', name)
  const given = facts.get('length')
  return {
    tensor: name,
    location,
    offset,
    lengthBytes: Math.max(dataBytes(tensor), given === undefined ? 0 : byteCount(given, name)),
  }
}

function byteCount(text: string, tensor: string): number {
  const bytes = /^\d{1,19}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(bytes)) return bytes
  throw new Error(
    `its tensor ${tensor} has a place in another file that is no number of bytes: ${JSON.stringify(text)}`,
  )
}

/** As its shape and type have it. */
function dataBytes(tensor: Message): number {
  const { name, bits } = elementType(tensor.integer('dataType'))
  if (bits === null) throw new Error(`its tensor ${tensor.text('name')} of ${name} cannot be kept in another file`)
  const items = tensor.integers('dims').reduce((product, length) => product * length, 1)
  const bytes = Math.ceil((items * bits) / 8)
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    throw new Error(`its tensor ${tensor.text('name')} has a shape that no tensor can have`)
  return bytes
}
