/** The list of tensors in a GGUF header, read only for how long the file must be. */
import type { GgufReader } from './gguf-reader.ts'
import type { GgufValue } from './gguf-values.ts'

const dimensionsMax = 16
const alignmentDefault = 32

/** From the beginning of the file. */
export function endOfTensors(reader: GgufReader, count: number, alignment: GgufValue | undefined): number {
  let end = 0
  for (let tensor = 0; tensor < count; tensor += 1) {
    reader.skipText()
    const dimensions = reader.unsigned32()
    if (dimensions > dimensionsMax) throw new Error(`it has a tensor of ${dimensions} dimensions`)
    let items = 1
    for (let dimension = 0; dimension < dimensions; dimension += 1)
      items *= reader.length(Number.MAX_SAFE_INTEGER, 'items of a dimension')
    if (!Number.isSafeInteger(items)) throw new Error(`it has a tensor of ${items} items`)
    const [itemsPerBlock, bytesPerBlock] = blocks[reader.unsigned32()] ?? unknownBlock
    const offset = reader.length(Number.MAX_SAFE_INTEGER, 'bytes before a tensor')
    end = Math.max(end, offset + Math.ceil(items / itemsPerBlock) * bytesPerBlock)
  }
  if (count === 0) return reader.offset
  const step = Number.isSafeInteger(alignment) && Number(alignment) > 0 ? Number(alignment) : alignmentDefault
  return Math.ceil(reader.offset / step) * step + end
}

/** Items and bytes of a block by tensor type, as ggml has them; those that are never stored are left out. */
const blocks: Readonly<Record<number, readonly [number, number]>> = {
  0: [1, 4],
  1: [1, 2],
  2: [32, 18],
  3: [32, 20],
  6: [32, 22],
  7: [32, 24],
  8: [32, 34],
  10: [256, 84],
  11: [256, 110],
  12: [256, 144],
  13: [256, 176],
  14: [256, 210],
  16: [256, 66],
  17: [256, 74],
  18: [256, 98],
  19: [256, 50],
  20: [32, 18],
  21: [256, 110],
  22: [256, 82],
  23: [256, 136],
  24: [1, 1],
  25: [1, 2],
  26: [1, 4],
  27: [1, 8],
  28: [1, 8],
  29: [256, 56],
  30: [1, 2],
  34: [256, 54],
  35: [256, 66],
  39: [32, 17],
}
const unknownBlock = [1, 0] as const
