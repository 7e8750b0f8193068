/** What one worker's tasks have handed to each other, added to the figures of all: a worker reports sums that begin at 0 with its process. */
import { ProtocolError } from '../workers/protocol-error.ts'
import type { HandOver } from '../workers/stats-report.ts'
import type { TensorFigures } from './tensor-figures.ts'

export class HandedTensors {
  readonly #figures: TensorFigures
  #last: HandOver = { tensors: 0, bytes: 0, copiedBytes: 0, gatheredBytes: 0 }

  constructor(figures: TensorFigures) {
    this.#figures = figures
  }

  /** Throws ProtocolError when a sum has become smaller. */
  take(sums: HandOver): void {
    const tensors = sums.tensors - this.#last.tensors
    const bytes = sums.bytes - this.#last.bytes
    const copiedBytes = sums.copiedBytes - this.#last.copiedBytes
    const gatheredBytes = sums.gatheredBytes - this.#last.gatheredBytes
    if (Math.min(tensors, bytes, copiedBytes, gatheredBytes) < 0)
      throw new ProtocolError('order', 'The sums in `handOver` of STATS_REPORT must not become smaller.')
    this.#last = sums
    this.#figures.handedTensors += tensors
    this.#figures.handedBytes += bytes
    this.#figures.handOverCopiedBytes += copiedBytes
    this.#figures.gatheredBytes += gatheredBytes
  }
}
