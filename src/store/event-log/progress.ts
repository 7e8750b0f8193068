/**
 * What a job has said since its last numbered event, coalesced: text of an item joined, values appended, of steps the newest. Numbering comes
 * after this, so live and stored events are the same ones, and a reader never sees how workers cut their frames.
 */
import type { JobEventBody, JobPatch, ProgressUnit } from '../records.ts'

/** Told how many items of one report are committed. */
export type ItemsCommitted = (items: number) => void

export interface ProgressBody {
  readonly body: Extract<JobEventBody, { readonly kind: 'text' | 'values' | 'step' }>
  readonly committed: (() => void) | null
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

  setDone(done: number, total: number | null, unit: ProgressUnit): void {
    this.patch = { progressDone: done, progressTotal: total, progressUnit: unit }
  }

  /** The events to be numbered, in order. `offsets`: UTF-16 code units that each item already has; moved on. */
  bodies(offsets: Map<number, number>): ProgressBody[] {
    const bodies: ProgressBody[] = []
    for (const [item, text] of this.#texts) {
      const offset = offsets.get(item) ?? 0
      offsets.set(item, offset + text.length)
      bodies.push({ body: { kind: 'text', item, offset, text }, committed: null })
    }
    bodies.push(...this.#valueBodies())
    for (const [item, step] of this.#steps) bodies.push({ body: { kind: 'step', item, ...step }, committed: null })
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
      bodies.push({ body: { kind: 'values', values }, committed: whole.length > 0 ? tell : null })
    }
    return bodies
  }
}
