/** program: a task of a program that a third party has added. Its parameters are its own affair, within bounds. */
import type { Manifest } from '../../runtime/models/manifest.ts'
import type { Problems } from './problems.ts'

const parametersBytesMax = 1024 * 1024

export function normaliseProgram(
  input: { readonly name: string; readonly parameters: unknown },
  manifest: Manifest,
  problems: Problems,
): Record<string, unknown> {
  const programs = manifest.graph.map((node) => node.program)
  if (!programs.includes(input.name))
    problems.add('name', `this model runs ${programs.join(', ')}; given: ${JSON.stringify(input.name)}.`)
  const isMap = typeof input.parameters === 'object' && input.parameters !== null && !Array.isArray(input.parameters)
  if (!isMap) problems.add('parameters', 'must be a JSON object.')
  else if (JSON.stringify(input.parameters).length > parametersBytesMax)
    problems.add('parameters', `must be at most ${parametersBytesMax} bytes as JSON.`)
  return { name: input.name, parameters: input.parameters }
}
