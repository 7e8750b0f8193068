/** What a program gives may lie in memory that others wait for. Whoever drops an output gives that memory back. */
import type { LargeTensor } from '../../runtime/workers/tensors.ts'

/** Releases every region in an output, wherever it stands. Harmless for those that were released before. */
export function releaseRegions(output: unknown): void {
  if (typeof output !== 'object' || output === null || output instanceof Uint8Array) return
  if (isLargeTensor(output)) output.region.release()
  else for (const member of Object.values(output)) releaseRegions(member)
}

export function isLargeTensor(value: object): value is LargeTensor {
  return 'region' in value && 'dtype' in value && 'shape' in value
}
