/** Files in which the kernel shows its figures. They are short and cost no disk access, so they are read at once. */
import { readFileSync } from 'node:fs'

/** The content of a file; null where there is none. */
export type ReadSystemFile = (path: string) => string | null

export const readSystemFile: ReadSystemFile = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Not this kernel, or not for us to see: the caller does without.
    return null
  }
}
