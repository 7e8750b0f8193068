/** ONNX files written byte by byte, so that a test can say anything in one, wrong things too. Numbers of fields are those of onnx.proto3. */

export type Part = Uint8Array

export function varintField(field: number, value: number | bigint): Part {
  return Buffer.concat([varint((field << 3) | 0), varint(value)])
}
export function bytesField(field: number, content: string | Uint8Array): Part {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes])
}
export function message(field: number, ...parts: readonly Part[]): Part {
  return bytesField(field, Buffer.concat(parts))
}

/** Element types by name, as far as tests need them. */
export const elementTypes = { float32: 1, uint8: 2, int64: 7, string: 8, bool: 9, float16: 10, int4: 22 } as const

export interface PortParts {
  readonly name: string
  readonly dtype?: keyof typeof elementTypes | number
  /** Null: a dimension without length or name. No list: no shape at all. */
  readonly shape?: readonly (number | string | null)[]
}

export function tensorType({ dtype = 'float32', shape }: PortParts): Part {
  const dimensions = shape?.map((length) => message(1, ...dimension(length)))
  const number = typeof dtype === 'number' ? dtype : elementTypes[dtype]
  return message(1, varintField(1, number), ...(dimensions ? [message(2, ...dimensions)] : []))
}

function dimension(length: number | string | null): Part[] {
  if (length === null) return []
  return [typeof length === 'number' ? varintField(1, length) : bytesField(2, length)]
}

/** A ValueInfoProto; `field` 11 = input, 12 = output. */
export function port(field: number, parts: PortParts, type: Part = tensorType(parts)): Part {
  return message(field, bytesField(1, parts.name), message(2, type))
}

export interface TensorParts {
  readonly name: string
  readonly dtype?: keyof typeof elementTypes
  readonly dims?: readonly number[]
  /** Kept inside the file. */
  readonly raw?: Uint8Array
  /** Kept beside it. */
  readonly external?: Readonly<Record<string, string>>
}

/** The content of a TensorProto. */
export function tensor({ name, dtype = 'float32', dims = [], raw, external }: TensorParts): Part {
  return Buffer.concat([
    ...dims.map((length) => varintField(1, length)),
    varintField(2, elementTypes[dtype]),
    bytesField(8, name),
    ...(raw ? [bytesField(9, raw)] : []),
    ...Object.entries(external ?? {}).map(([key, value]) => message(13, bytesField(1, key), bytesField(2, value))),
    ...(external ? [varintField(14, 1)] : []),
  ])
}

export function initializer(parts: TensorParts): Part {
  return message(5, tensor(parts))
}

/** A NodeProto with the given AttributeProtos. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  ...attributes: readonly Part[]
): Part {
  return message(
    1,
    ...inputs.map((name) => bytesField(1, name)),
    ...outputs.map((name) => bytesField(2, name)),
    bytesField(4, operator),
    ...attributes.map((content) => message(5, content)),
  )
}

/** The whole file. */
export function onnxFile(...graphParts: readonly Part[]): Buffer {
  return Buffer.concat([
    varintField(1, 9),
    bytesField(2, 'hearth-test'),
    bytesField(3, '1'),
    message(7, bytesField(2, 'graph'), ...graphParts),
    message(8, varintField(2, 20)),
  ])
}

/** `y = x + constant`, over any number of rows of `columns`. It runs. */
export function addingModel(constant: number, columns = 2): Buffer {
  const values = Float32Array.from({ length: columns }, () => constant)
  return onnxFile(
    node('Add', ['x', 'constant'], ['y']),
    initializer({ name: 'constant', dims: [columns], raw: new Uint8Array(values.buffer) }),
    port(11, { name: 'x', shape: ['batch', columns] }),
    port(12, { name: 'y', shape: ['batch', columns] }),
  )
}

/** As `addingModel`, with the constant in the file `location` beside it; `float32Bytes` gives that file's content. */
export function addingModelBeside(location: string, columns = 2, offset = 0): Buffer {
  return onnxFile(
    node('Add', ['x', 'constant'], ['y']),
    initializer({
      name: 'constant',
      dims: [columns],
      external: { location, offset: String(offset), length: String(columns * 4) },
    }),
    port(11, { name: 'x', shape: ['batch', columns] }),
    port(12, { name: 'y', shape: ['batch', columns] }),
  )
}

export function float32Bytes(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer)
}

function varint(value: number | bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const group = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest === 0n ? group : group | 0x80)
  } while (rest !== 0n)
  return Buffer.from(bytes)
}
