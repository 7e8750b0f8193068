/** What a graph takes and gives, read from its file before any load. */

export interface TensorPort {
  readonly name: string
  /** A numpy name (`float32`, `int64`, `bool`, ...), `bfloat16`, or `string`. */
  readonly dtype: string
  /** A name is symbolic: equal names stand for equal lengths. Null: any length. No list at all: any shape. */
  readonly shape: readonly (number | string | null)[] | null
}

export interface Signature {
  readonly inputs: readonly TensorPort[]
  /** Inputs that the file has a value for, which a request may replace. */
  readonly optionalInputs?: readonly TensorPort[]
  readonly outputs: readonly TensorPort[]
  /** Outputs that are no tensors (sequences, maps), with their type in words, e.g. `sequence of map of int64 to float32`. */
  readonly others: readonly { readonly name: string; readonly type: string }[]
}
