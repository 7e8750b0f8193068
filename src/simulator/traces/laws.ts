/** Random gaps and amounts of the laws that recorded work follows. Those of gaps have the mean 1 and are told by their coefficient of variation. */
import type { Random } from '../random.ts'

/** Standard normal (Box and Muller). */
function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.fraction())) * Math.cos(2 * Math.PI * random.fraction())
}

/** `sigma`: standard deviation of the logarithm. */
export function drawLogNormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * drawNormal(random))
}

/** Marsaglia and Tsang's method; shapes below 1 by way of the next larger. */
export function drawGamma(random: Random, variation: number): number {
  const shape = 1 / variation ** 2
  const boost = shape < 1 ? (1 - random.fraction()) ** (1 / shape) : 1
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3
  for (;;) {
    const normal = drawNormal(random)
    const v = (1 + normal / Math.sqrt(9 * d)) ** 3
    if (v > 0 && Math.log(1 - random.fraction()) < normal ** 2 / 2 + d - d * v + d * Math.log(v))
      return (boost * d * v) / shape
  }
}

/** The shape follows from the variation closely enough by Justus's formula. */
export function drawWeibull(random: Random, variation: number): number {
  const shape = variation ** -1.086
  return (-Math.log(1 - random.fraction())) ** (1 / shape) / gammaOf(1 + 1 / shape)
}

/** Gamma function (Lanczos) for arguments from 1 on. */
function gammaOf(x: number): number {
  const z = x - 1
  const terms = [76.180091729, -86.505320329, 24.014098241, -1.2317395725, 0.0012086509739, -5.395239385e-6]
  const series = terms.reduce((sum, term, index) => sum + term / (z + index + 1), 1.00000000019)
  const base = z + 5.5
  return Math.sqrt(2 * Math.PI) * base ** (z + 0.5) * Math.exp(-base) * series
}
