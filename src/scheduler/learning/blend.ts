/** Exponentially weighted mean; the first value is taken as it is. */
export function blend(mean: number | null, value: number, rate: number): number {
  return mean === null ? value : mean + rate * (value - mean)
}
