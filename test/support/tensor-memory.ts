/** Shared memory for one test, and the tensors of the no-op program as they come. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { TensorMemory } from '../../src/runtime/memory/tensor-memory.ts'
import { isLargeTensor, type LargeTensor, type Tensor } from '../../src/runtime/workers/tensors.ts'
import { dataFolder } from './data-folder.ts'

export const kib = 1024
export const mib = 1024 * 1024

/** A folder as /dev/shm is one; removed when the test has ended. */
export async function sharedFolder(): Promise<string> {
  const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hearth-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export async function tensorMemory(poolBytesMax = 64 * mib, sharedMemory?: string): Promise<TensorMemory> {
  const memory = await TensorMemory.open({
    sharedMemory: sharedMemory ?? (await sharedFolder()),
    poolBytesMax,
    transferFolder: join(await dataFolder(), 'transfers'),
  })
  onTestFinished(() => memory.close())
  return memory
}

/** Those in the output of a no-op task with `tensorBytes`. */
export function tensorsIn({
  output,
}: {
  readonly output: Readonly<Record<string, unknown>>
}): (Tensor | LargeTensor)[] {
  const { artifacts = [] } = output as { readonly artifacts?: readonly { readonly data: Tensor | LargeTensor }[] }
  return artifacts.map(({ data }) => data)
}

export async function bytesOf(tensor: Tensor | LargeTensor): Promise<Buffer> {
  if (!isLargeTensor(tensor)) return Buffer.from(tensor.data)
  const pieces: Buffer[] = []
  for await (const piece of tensor.region.pieces()) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

export function release(tensors: Iterable<Tensor | LargeTensor>): void {
  for (const tensor of tensors) if (isLargeTensor(tensor)) tensor.region.release()
}

/** What the no-op program puts into its tensor number `number`. */
export function counting(number: number, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  for (let index = 0; index < sizeBytes; index += 1) bytes[index] = (number + index) % 256
  return bytes
}
