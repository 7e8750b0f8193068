/** Why a data folder could not be opened, as errors and, because errors lose their class between threads, as plain values. */
import type { Holder } from './holder.ts'

/** Another server works on the folder; two would both believe that they own its jobs. */
export class FolderLockedError extends Error {
  override readonly name = 'FolderLockedError'
  readonly folder: string
  /** Null when it has not yet said who it is. */
  readonly holder: Holder | null
  constructor(folder: string, holder: Holder | null) {
    const by = holder ? ` by ${describe(holder)}` : ''
    super(
      `The data folder ${folder} is in use${by}. Stop that server, or give this one a folder of its own with HEARTH_DATA_DIR.`,
    )
    this.folder = folder
    this.holder = holder
  }
}

/** The database was written by a newer program; this one would misread it. */
export class DatabaseTooNewError extends Error {
  override readonly name = 'DatabaseTooNewError'
  readonly file: string
  readonly unknownMigrations: number
  constructor(file: string, unknownMigrations: number) {
    const which = unknownMigrations === 1 ? 'one of its migrations is' : `${unknownMigrations} of its migrations are`
    super(
      `The database ${file} is newer than this program: ${which} unknown here. Run the version of Hearth that wrote it, or a newer one.`,
    )
    this.file = file
    this.unknownMigrations = unknownMigrations
  }
}

export type Refusal =
  | { readonly reason: 'locked'; readonly folder: string; readonly holder: Holder | null }
  | { readonly reason: 'too_new'; readonly file: string; readonly unknownMigrations: number }
  | { readonly reason: 'failed'; readonly message: string }

export function refusalOf(error: unknown): Refusal {
  if (error instanceof FolderLockedError) return { reason: 'locked', folder: error.folder, holder: error.holder }
  if (error instanceof DatabaseTooNewError) {
    return { reason: 'too_new', file: error.file, unknownMigrations: error.unknownMigrations }
  }
  return { reason: 'failed', message: error instanceof Error ? error.message : String(error) }
}

export function errorOf(refusal: Refusal): Error {
  switch (refusal.reason) {
    case 'locked':
      return new FolderLockedError(refusal.folder, refusal.holder)
    case 'too_new':
      return new DatabaseTooNewError(refusal.file, refusal.unknownMigrations)
    case 'failed':
      return new Error(`The data folder could not be opened: ${refusal.message}`)
    default:
      return refusal satisfies never
  }
}

function describe({ pid, host, startedAt, url }: Holder): string {
  const where = url === null ? '' : `, at ${url}`
  return `process ${pid} on ${host}, started ${new Date(startedAt).toISOString()}${where}`
}
