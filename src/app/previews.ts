/**
 * Pictures on their way, as workers send them: each becomes a file, then an event. At most one of a picture is being written; what comes meanwhile takes
 * the place of what waited. A preview is worth nothing later, so one that finds no room on the disk is dropped and counted, and its job goes on.
 */
import type { JobId } from '../scheduler/ids.ts'
import type { JobEventLog } from '../store/job-events.ts'
import type { ArtifactRecord, JobRecord } from '../store/records.ts'
import type { Artifacts } from './artifacts.ts'

export interface Preview {
  /** Which of the job's pictures, from 0. */
  readonly item: number
  /** Steps that lie behind it. */
  readonly step: number
  readonly mimeType: string
  readonly picture: Uint8Array
}

export interface PreviewFigures {
  /** Shown to whoever read at the time. */
  readonly shown: number
  /** A newer one of the same picture came first, or the job's end. */
  readonly superseded: number
  /** The disk had no room for them. */
  readonly dropped: number
}

interface PreviewParts {
  readonly artifacts: Pick<Artifacts, 'prepareIfRoom' | 'committed' | 'discard'>
  readonly log: Pick<JobEventLog, 'preview'>
  /** A file that could be neither written nor dropped. */
  readonly onFailed: (error: unknown) => void
}

export class Previews {
  readonly #parts: PreviewParts
  /** By item: the one that is next, null while only one is being written. */
  readonly #writing = new Map<JobId, Map<number, Preview | null>>()
  readonly #figures = { shown: 0, superseded: 0, dropped: 0 }

  constructor(parts: PreviewParts) {
    this.#parts = parts
  }

  get figures(): PreviewFigures {
    return { ...this.#figures }
  }

  show(record: JobRecord, preview: Preview): void {
    const items = this.#writing.get(record.id) ?? new Map<number, Preview | null>()
    this.#writing.set(record.id, items)
    const waiting = items.get(preview.item)
    if (waiting) this.#figures.superseded += 1
    items.set(preview.item, waiting === undefined ? null : preview)
    if (waiting === undefined) this.#writeAll(record, preview, items).catch(this.#parts.onFailed)
  }

  /** The job has ended: what waits is not wanted any more. */
  forget(jobId: JobId): void {
    for (const waiting of this.#writing.get(jobId)?.values() ?? []) if (waiting) this.#figures.superseded += 1
    this.#writing.delete(jobId)
  }

  async #writeAll(record: JobRecord, first: Preview, items: Map<number, Preview | null>): Promise<void> {
    const { item } = first
    try {
      for (let next: Preview | null = first; next; next = this.#nextOf(record.id, item, items))
        await this.#write(record, next)
    } finally {
      items.delete(item)
      if (items.size === 0 && this.#writing.get(record.id) === items) this.#writing.delete(record.id)
    }
  }

  #nextOf(jobId: JobId, item: number, items: Map<number, Preview | null>): Preview | null {
    if (this.#writing.get(jobId) !== items) return null
    const next = items.get(item) ?? null
    if (next) items.set(item, null)
    return next
  }

  async #write(record: JobRecord, { item, step, mimeType, picture }: Preview): Promise<void> {
    const { artifacts, log } = this.#parts
    const artifact = await artifacts.prepareIfRoom(picture, { mimeType, jobId: record.id })
    if (!artifact) {
      this.#figures.dropped += 1
      return
    }
    log.preview(record, item, step, artifact, (end) => this.#settle(artifact, end))
  }

  #settle(artifact: ArtifactRecord, end: 'committed' | 'dropped'): void {
    const { artifacts, onFailed } = this.#parts
    if (end === 'committed') {
      this.#figures.shown += 1
      return artifacts.committed([artifact])
    }
    this.#figures.superseded += 1
    artifacts.discard([artifact]).catch(onFailed)
  }
}
