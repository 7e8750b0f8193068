/** What is counted of tensors since the start: those that come out of workers, and those that stay inside. */
export interface TensorFigures {
  /** Tensors that came in a slab. */
  hits: number
  /** Tensors that came in chunks although there are slabs: none was free, or none so large. */
  misses: number
  /** Tensors that came in chunks because there are no slabs at all. */
  fallbacks: number
  /** Requests of workers for slabs that were not met. */
  refusals: number
  /** Transfers that no frame referred to, and those that a worker's death cut off. */
  droppedTransfers: number
  /** By any copy between the array that a worker made and whoever reads the tensor here. */
  copiedBytes: number
  /** Tensors that went from one task to the next within a worker, by reference. */
  handedTensors: number
  handedBytes: number
  /** Of them, by any copy on the way. */
  handOverCopiedBytes: number
  /** Put side by side within workers for runs that several tasks share: what batching copies, at each step anew. */
  gatheredBytes: number
}

export function noFigures(): TensorFigures {
  return {
    hits: 0,
    misses: 0,
    fallbacks: 0,
    refusals: 0,
    droppedTransfers: 0,
    copiedBytes: 0,
    handedTensors: 0,
    handedBytes: 0,
    handOverCopiedBytes: 0,
    gatheredBytes: 0,
  }
}
