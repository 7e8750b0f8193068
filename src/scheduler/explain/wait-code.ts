/** Kinds of waiting, as in the schema. */
export type WaitCode =
  | 'BEHIND_OTHERS'
  | 'FAIR_SHARE'
  | 'MODEL_LOADING'
  | 'MEMORY'
  | 'BATCH_FORMING'
  | 'PAUSED'
  | 'HEAT'
  | 'NO_DEVICE'
  | 'SERVER_RECOVERING'

export interface WaitReason {
  readonly code: WaitCode
  readonly reason: string
}
