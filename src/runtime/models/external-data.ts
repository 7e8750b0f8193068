/** The files beside an ONNX graph in which it keeps weights: where they are, and whether they are long enough for what the graph reads from them. */
import { posix } from 'node:path'
import { staysBelow } from './manifest.ts'
import type { ExternalTensor } from './onnx-external.ts'

export interface ExternalFile {
  /** Relative to the model's folder. */
  readonly path: string
  /** It must be at least so long. */
  readonly neededBytes: number
}

const filesMax = 1024
/** ONNX Runtime takes such a location for an address of its own memory, though a file may be called so. */
const placeInMemory = '_ORT_MEM_ADDR_'

/** `graphPath`: of the graph, relative to the model's folder. Throws an Error that says what is wrong with a place. */
export function externalFiles(graphPath: string, tensors: readonly ExternalTensor[]): ExternalFile[] {
  const needed = new Map<string, number>()
  for (const { tensor, location, offset, lengthBytes } of tensors) {
    const plain = location.replace(/^(\.\/)+/, '')
    if (!staysBelow(plain) || location.includes(placeInMemory))
      throw new Error(
        `${graphPath} keeps the tensor ${tensor} in ${JSON.stringify(location)}; only files beside or below the graph are read`,
      )
    const path = posix.join(posix.dirname(graphPath), plain)
    if (path === posix.normalize(graphPath)) throw new Error(`${graphPath} keeps the tensor ${tensor} in itself`)
    needed.set(path, Math.max(needed.get(path) ?? 0, offset + lengthBytes))
    if (needed.size > filesMax) throw new Error(`${graphPath} keeps weights in more than ${filesMax} files`)
  }
  return [...needed].map(([path, neededBytes]) => ({ path, neededBytes }))
}

/** In words; null = it is long enough. */
export function tooShort(graphPath: string, { path, neededBytes }: ExternalFile, sizeBytes: number): string | null {
  if (sizeBytes >= neededBytes) return null
  return `${path} has ${sizeBytes} bytes; ${graphPath} reads up to byte ${neededBytes} of it, so it was cut or belongs to another graph.`
}
