/** The fields of an ONNX file that say what it takes, gives and refers to (onnx.proto3); all others are passed over, weights among them. */
import type { Shape } from './protobuf-reader.ts'

const dimension: Shape = { 1: { name: 'dimValue', kind: 'integer' }, 2: { name: 'dimParam', kind: 'text' } }
const tensorShape: Shape = { 1: { name: 'dim', kind: () => dimension, isRepeated: true } }
const tensorType: Shape = {
  1: { name: 'elementType', kind: 'integer' },
  2: { name: 'shape', kind: () => tensorShape },
}
const elementsType: Shape = { 1: { name: 'element', kind: () => type } }
const mapType: Shape = { 1: { name: 'keyType', kind: 'integer' }, 2: { name: 'value', kind: () => type } }
const type: Shape = {
  1: { name: 'tensor', kind: () => tensorType },
  4: { name: 'sequence', kind: () => elementsType },
  5: { name: 'map', kind: () => mapType },
  8: { name: 'sparse', kind: () => tensorType },
  9: { name: 'optional', kind: () => elementsType },
}
const valueInfo: Shape = { 1: { name: 'name', kind: 'text' }, 2: { name: 'type', kind: () => type } }
const textPair: Shape = { 1: { name: 'key', kind: 'text' }, 2: { name: 'value', kind: 'text' } }
const tensor: Shape = {
  1: { name: 'dims', kind: 'integers' },
  2: { name: 'dataType', kind: 'integer' },
  8: { name: 'name', kind: 'text' },
  13: { name: 'externalData', kind: () => textPair, isRepeated: true },
  14: { name: 'dataLocation', kind: 'integer' },
}
const sparseTensor: Shape = { 1: { name: 'values', kind: () => tensor }, 2: { name: 'indices', kind: () => tensor } }
const attribute: Shape = {
  5: { name: 'tensor', kind: () => tensor },
  6: { name: 'graph', kind: () => graph },
  10: { name: 'tensors', kind: () => tensor, isRepeated: true },
  11: { name: 'graphs', kind: () => graph, isRepeated: true },
  22: { name: 'sparseTensor', kind: () => sparseTensor },
  23: { name: 'sparseTensors', kind: () => sparseTensor, isRepeated: true },
}
const node: Shape = { 5: { name: 'attribute', kind: () => attribute, isRepeated: true } }
const graph: Shape = {
  1: { name: 'node', kind: () => node, isRepeated: true },
  5: { name: 'initializer', kind: () => tensor, isRepeated: true },
  11: { name: 'input', kind: () => valueInfo, isRepeated: true },
  12: { name: 'output', kind: () => valueInfo, isRepeated: true },
  15: { name: 'sparseInitializer', kind: () => sparseTensor, isRepeated: true },
}
const operatorSet: Shape = { 1: { name: 'domain', kind: 'text' }, 2: { name: 'version', kind: 'integer' } }
const training: Shape = {
  1: { name: 'initialization', kind: () => graph },
  2: { name: 'algorithm', kind: () => graph },
}
const localFunction: Shape = { 7: { name: 'node', kind: () => node, isRepeated: true } }

export const onnxModel: Shape = {
  1: { name: 'irVersion', kind: 'integer' },
  2: { name: 'producerName', kind: 'text' },
  3: { name: 'producerVersion', kind: 'text' },
  7: { name: 'graph', kind: () => graph },
  8: { name: 'opset', kind: () => operatorSet, isRepeated: true },
  20: { name: 'training', kind: () => training, isRepeated: true },
  25: { name: 'function', kind: () => localFunction, isRepeated: true },
}
