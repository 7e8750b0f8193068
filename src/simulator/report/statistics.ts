/** The mean of a few runs, and how sure it is. */

export interface Estimate {
  readonly mean: number
  /** Half of the 95 % interval by Student's t; null = one run says nothing about it. */
  readonly plusMinus: number | null
}

export function estimate(values: readonly number[]): Estimate {
  const { length } = values
  const mean = values.reduce((sum, value) => sum + value, 0) / length
  if (length < 2) return { mean, plusMinus: null }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (length - 1)
  return { mean, plusMinus: quantile(length - 1) * Math.sqrt(variance / length) }
}

/** 97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom. */
const quantiles = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228] as const

/** Beyond the table by a series around the normal quantile. */
function quantile(freedom: number): number {
  return quantiles[freedom - 1] ?? 1.96 + 2.4 / freedom + 2.8 / freedom ** 2
}
