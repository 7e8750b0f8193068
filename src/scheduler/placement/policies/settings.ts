/** What the routing policies go by. Shares are of a device's memory; times in milliseconds, sizes in bytes. */
export interface RoutingSettings {
  /** Weighted round robin: weights are renewed so often; a device fuller than `crowdedShare` keeps only `crowdedPenalty` of its weight. */
  readonly weightsRenewedMs: number
  readonly crowdedShare: number
  readonly crowdedPenalty: number
  /** Least loaded: what a device has to have available beside the model. */
  readonly roomFloorBytes: number
  /** Affinity: at least so compatible; where no device is, the best above `compatibleDegraded` will do. */
  readonly compatibleEnough: number
  readonly compatibleDegraded: number
  /** Capacity: what is kept available for interactive work; how often the demand is looked at that memory is kept whole for. */
  readonly reserveShare: number
  readonly mixRenewedMs: number
  /** Performance: work ahead that makes a device seem twice as slow. */
  readonly busyDoublesMs: number
  /** Complexity: the share of jobs that count as short, and how sure a prediction of work has to be. */
  readonly shortShare: number
  readonly workQuantile: number
  /** Adaptive: weight of the newest outcome, how far experience may move a prediction, and how often batch work goes elsewhere to learn. */
  readonly feedbackRate: number
  readonly feedbackMax: number
  readonly exploreShare: number
}

const mib = 1024 * 1024

export const defaultRouting: RoutingSettings = {
  weightsRenewedMs: 5000,
  crowdedShare: 0.8,
  crowdedPenalty: 0.2,
  roomFloorBytes: 100 * mib,
  compatibleEnough: 0.8,
  compatibleDegraded: 0.5,
  reserveShare: 0.2,
  mixRenewedMs: 5000,
  busyDoublesMs: 10_000,
  shortShare: 0.7,
  workQuantile: 0.7,
  feedbackRate: 0.1,
  feedbackMax: 0.5,
  exploreShare: 0.01,
}
