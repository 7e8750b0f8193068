/** Which pictures are asked for, and when: drawn, and the same in every run. */
import { randomFrom } from '../ablation/random.ts'

export interface WantedPicture {
  readonly steps: number
  /** Since the one before, in mean gaps: drawn from the exponential distribution, so that arrivals are those of strangers. */
  readonly gap: number
}

const stepsMin = 8
const stepsMax = 30

export function drawPictures(count: number, seed: number): WantedPicture[] {
  const random = randomFrom(seed)
  return Array.from({ length: count }, () => ({
    steps: stepsMin + Math.floor(random() * (stepsMax - stepsMin + 1)),
    gap: -Math.log(1 - random()),
  }))
}

export function meanSteps(pictures: readonly WantedPicture[]): number {
  return pictures.reduce((sum, { steps }) => sum + steps, 0) / pictures.length
}
