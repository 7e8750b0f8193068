/**
 * What a job has said since its last numbered event, coalesced: text of an item joined, values appended, of steps and previews the newest.
 * Numbering comes after this, so live and stored events are the same ones, and a reader never sees how workers cut their frames.
 */
import type { ArtifactRecord, JobEventBody, JobPatch, ProgressUnit } from '../records.ts'

/** Told how many items of one report are committed. */
export type ItemsCommitted = (items: number) => void

/** Told what becomes of a preview's file: its row is written, or never will be. */
export type PreviewSettled = (end: 'committed' | 'dropped') => void

export interface ProgressBody {
  readonly body: Extract<JobEventBody, { readonly kind: 'text' | 'values' | 'step' | 'preview' }>
  /** Committed with the event. */
  readonly artifacts: readonly ArtifactRecord[]
  readonly committed: (() => void) | null
}

interface Preview {
  readonly step: number
  readonly artifact: ArtifactRecord
  readonly settled: PreviewSettled
}

/** Values that came together, up to `end` of all values. */
interface Report {
  readonly end: number
  readonly items: number
  readonly committed: ItemsCommitted
}

const valuesPerEventMax = 4096

export class Progress {
  readonly #texts = new Map<number, string>()
  readonly #steps = new Map<number, { readonly step: number; readonly totalSteps: number }>()
  readonly #previews = new Map<number, Preview>()
  readonly #values: unknown[] = []
  readonly #reports: Report[] = []
  /** Newest wins. */
  patch: JobPatch = {}

  addText(item: number, text: string): void {
    this.#texts.set(item, (this.#texts.get(item) ?? '') + text)
  }

  addValues(values: readonly unknown[], committed: ItemsCommitted | undefined): void {
    for (const value of values) this.#values.push(value)
    if (committed) this.#reports.push({ end: this.#values.length, items: values.length, committed })
  }

  setStep(item: number, step: number, totalSteps: number): void {
    this.#steps.set(item, { step, totalSteps })
  }

  setPreview(item: number, preview: Preview): void {
    this.#previews.get(item)?.settled('dropped')
    this.#previews.set(item, preview)
  }

  setDone(done: number, total: number | null, unit: ProgressUnit): void {
    this.patch = { progressDone: done, progressTotal: total, progressUnit: unit }
  }

  /** The events to be numbered, in order. `offsets`: UTF-16 code units that each item already has; moved on. */
  bodies(offsets: Map<number, number>): ProgressBody[] {
    const bodies: ProgressBody[] = []
    for (const [item, text] of this.#texts) {
      const offset = offsets.get(item) ?? 0
      offsets.set(item, offset + text.length)
      bodies.push(plain({ kind: 'text', item, offset, text }))
    }
    bodies.push(...this.#valueBodies())
    for (const [item, step] of this.#steps) bodies.push(plain({ kind: 'step', item, ...step }))
    // Last, because nothing behind a preview is seen before its commit.
    for (const [item, preview] of this.#previews) bodies.push(previewBody(item, preview))
    return bodies
  }

  /** A report that is spread over several events counts as committed with the last of them. */
  #valueBodies(): ProgressBody[] {
    const bodies: ProgressBody[] = []
    for (let start = 0; start < this.#values.length; start += valuesPerEventMax) {
      const values = this.#values.slice(start, start + valuesPerEventMax)
      const whole = this.#reports.filter(({ end }) => end > start && end <= start + values.length)
      const tell = () => {
        for (const { items, committed } of whole) committed(items)
      }
      bodies.push({ ...plain({ kind: 'values', values }), committed: whole.length > 0 ? tell : null })
    }
    return bodies
  }
}

const noArtifacts: readonly ArtifactRecord[] = []

function plain(body: ProgressBody['body']): ProgressBody {
  return { body, artifacts: noArtifacts, committed: null }
}

function previewBody(item: number, { step, artifact, settled }: Preview): ProgressBody {
  const body = { kind: 'preview', item, step, artifactId: artifact.id } as const
  return { body, artifacts: [artifact], committed: () => settled('committed') }
}
