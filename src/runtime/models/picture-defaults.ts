/** What a request gets that leaves something out must be what a request may ask for. */
import type { GraphProblem, ModelGraph } from './graph-problems.ts'

export const guidanceMax = 30
/** Where the manifest does not say. */
export const stepsMaxDefault = 100

export function pictureDefaultProblems({ defaults, limits, options }: ModelGraph): GraphProblem[] {
  const { steps, guidance, upscale, negativePrompt } = defaults
  const stepsMax = limits.maxSteps ?? stepsMaxDefault
  const factors: readonly unknown[] = [1, ...(options.upscale?.factors ?? [])]
  const isSteps = Number.isInteger(steps) && isWithin(steps, 1, stepsMax)
  return [
    ...problem('steps', steps, isSteps, `must be a whole number from 1 to ${stepsMax}`),
    ...problem('guidance', guidance, isWithin(guidance, 0, guidanceMax), `must be a number from 0 to ${guidanceMax}`),
    ...problem('upscale', upscale, factors.includes(upscale), 'must be 1 or one of options.upscale.factors'),
    ...problem('negativePrompt', negativePrompt, typeof negativePrompt === 'string', 'must be a text'),
  ]
}

function problem(field: string, value: unknown, isAllowed: boolean, message: string): GraphProblem[] {
  return value === undefined || isAllowed ? [] : [{ path: ['defaults', field], message }]
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most
}
