/** How batches are composed. Every one is a setting; these are the defaults. */
export interface BatchingSettings {
  /** False: manifests alone say how many states share a step. */
  readonly isLearnt: boolean
  /** Of the best rate, what a step of as few states as possible has to reach. */
  readonly shareOfBest: number
  /** After so many steps of a node, batch class tries one state more than the limit. */
  readonly probeSteps: number
  /** A step that is not full is held back no longer than this for others to join it. */
  readonly holdMsMax: number
  /** What a millisecond of waiting of one task costs, in milliseconds of a device; 0 = steps wait as long as deadlines let them. */
  readonly delayCost: number
  /** Interactive tasks in `peakMs` that make a peak: steps of class batch take half as many states until it is over. */
  readonly peakTasks: number
  readonly peakMs: number
}

export const defaultBatching: BatchingSettings = {
  isLearnt: true,
  shareOfBest: 0.95,
  probeSteps: 200,
  holdMsMax: 50,
  delayCost: 1,
  peakTasks: 10,
  peakMs: 10_000,
}
