/** The tensors that an ONNX file keeps in other files, wherever a graph of it is nested. */
import { elementType } from './onnx-types.ts'
import type { Message } from './protobuf-message.ts'

export interface ExternalTensor {
  readonly tensor: string
  /** As the file gives it: to be checked before it is opened. */
  readonly location: string
  readonly offset: number
  readonly lengthBytes: number
}

/** Throws an Error for a tensor that does not say where it is, or says so impossibly. */
export function externalTensors(model: Message): ExternalTensor[] {
  return [...tensorsOf(model)].flatMap((tensor) => externalTensor(tensor) ?? [])
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
