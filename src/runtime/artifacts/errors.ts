/** Why a file could not be stored, for those who can do something about it. */

/** There is no room (or no quota) for the file; nothing of it is left, and it may fit later. */
export class ArtifactDiskFull extends Error {
  override readonly name = 'ArtifactDiskFull'
  /** What the system said, or how much is left. */
  constructor(cause: unknown) {
    super('The disk of the data folder is full.', { cause })
  }
}

/** The source gave more than it may; nothing of it is left. */
export class ArtifactTooLarge extends Error {
  override readonly name = 'ArtifactTooLarge'
  readonly sizeBytesMax: number
  constructor(sizeBytesMax: number) {
    super(`It is larger than ${sizeBytesMax} bytes.`)
    this.sizeBytesMax = sizeBytesMax
  }
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
