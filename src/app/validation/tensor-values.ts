/** The values of an input tensor: as many as its shape says, nested or flat, each of its dtype. */
import { type Dtype, elementCount } from '../../runtime/workers/dtypes.ts'
import { elementKinds, shown } from '../tensors/element-kinds.ts'
import type { Problems } from './problems.ts'

/** Adds a problem for every value that is wrong, with its path (`tensors.0.values.1.2`), and says how many bytes all take: of texts, those of their UTF-8. */
export function checkValues(
  path: string,
  dtype: Dtype,
  shape: readonly number[],
  values: unknown,
  problems: Problems,
): number {
  const check = dtype === 'string' ? textCheck(problems) : elementCheck(dtype, problems)
  if (shape.length === 0 && !Array.isArray(values)) {
    check.element(path, '', values)
    return check.bytes()
  }
  if (!Array.isArray(values)) {
    problems.add(path, `must be a list for the shape ${shapeText(shape)}; given: ${shown(values)}.`)
    return 0
  }
  const isNested = shape.length > 1 && (values.length === 0 || Array.isArray(values[0]))
  if (isNested && !(values.length === 0 && elementCount(shape) === 0))
    checkNested(path, shape, 0, values, check, problems)
  else checkFlat(path, shape, values, check, problems)
  return check.bytes()
}

export function shapeText(shape: readonly (number | string | null)[]): string {
  return `[${shape.map((length) => length ?? 'any').join(', ')}]`
}

interface Check {
  /** The path is put together only for a problem: there may be millions of elements. */
  readonly element: (path: string, suffix: string | number, value: unknown) => void
  readonly bytes: () => number
}

function elementCheck(dtype: Exclude<Dtype, 'string'>, problems: Problems): Check {
  const { problem, itemBytes } = elementKinds[dtype]
  let count = 0
  return {
    element: (path, suffix, value) => {
      count += 1
      const words = problem(value)
      if (words !== null) problems.add(suffix === '' ? path : `${path}.${suffix}`, words)
    },
    bytes: () => count * itemBytes,
  }
}

function textCheck(problems: Problems): Check {
  let bytes = 0
  return {
    element: (path, suffix, value) => {
      const place = () => (suffix === '' ? path : `${path}.${suffix}`)
      if (typeof value !== 'string') problems.add(place(), `must be a text; given: ${shown(value)}.`)
      else {
        bytes += Buffer.byteLength(value)
        if (!value.isWellFormed()) problems.wellFormed(place(), value)
        // Arrays of texts in Python cut them off there.
        else if (value.includes('\u0000')) problems.add(place(), 'must not contain the character U+0000.')
      }
    },
    bytes: () => bytes,
  }
}

function checkFlat(
  path: string,
  shape: readonly number[],
  values: readonly unknown[],
  check: Check,
  problems: Problems,
): void {
  const count = elementCount(shape)
  if (values.length !== count) {
    const forms = shape.length > 1 ? ', as one flat list or as nested lists' : ''
    problems.add(path, `must have ${count} values for the shape ${shapeText(shape)}${forms}; given: ${values.length}.`)
    return
  }
  for (let index = 0; index < values.length && !problems.isFull; index += 1) check.element(path, index, values[index])
}

function checkNested(
  path: string,
  shape: readonly number[],
  axis: number,
  values: unknown,
  check: Check,
  problems: Problems,
): void {
  if (problems.isFull) return
  const length = shape[axis] ?? 0
  const wanted = `must be a list of ${length} (axis ${axis} of the shape ${shapeText(shape)})`
  if (!Array.isArray(values)) return problems.add(path, `${wanted}; given: ${shown(values)}.`)
  if (values.length !== length) return problems.add(path, `${wanted}; given: ${values.length}.`)
  const isLast = axis === shape.length - 1
  for (let index = 0; index < length && !problems.isFull; index += 1) {
    if (isLast) check.element(path, index, values[index])
    else checkNested(`${path}.${index}`, shape, axis + 1, values[index], check, problems)
  }
}
