/** The sizes that slabs come in: few, so that one that is free fits what is wanted; each four times the one before. */

export const slabBytesMin = 64 * 1024
/** Larger tensors go in chunks: slabs for them would take the whole pool. */
export const slabBytesMax = 256 * 1024 * 1024
const factor = 4

/** The smallest slab that holds so many bytes; null = none does. */
export function slabBytesFor(sizeBytes: number): number | null {
  if (sizeBytes > slabBytesMax) return null
  let slabBytes = slabBytesMin
  while (slabBytes < sizeBytes) slabBytes *= factor
  return slabBytes
}

/** The fewest bytes that need a slab as large as these do. */
export function classStartsAt(sizeBytes: number): number {
  const slabBytes = slabBytesFor(sizeBytes)
  if (slabBytes === null) return slabBytesMax + 1
  return slabBytes === slabBytesMin ? 0 : slabBytes / factor + 1
}
