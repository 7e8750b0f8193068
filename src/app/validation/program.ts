/** program: a task of a program that a third party has added. Its parameters are its own affair, within bounds. */
import type { Manifest } from '../../runtime/models/manifest.ts'
import type { TaskInput } from '../app.ts'
import { artifactOf, type InputArtifacts, programArtifactsMax, stored } from './input-artifacts.ts'
import { checkJson } from './json-value.ts'
import type { Problems } from './problems.ts'

const parametersBytesMax = 1024 * 1024

export function normaliseProgram(
  input: NonNullable<TaskInput['program']>,
  manifest: Manifest,
  artifacts: InputArtifacts,
  problems: Problems,
): Record<string, unknown> {
  const programs = manifest.graph.map((node) => node.program)
  if (!programs.includes(input.name))
    problems.add('name', `this model runs ${programs.join(', ')}; given: ${JSON.stringify(input.name)}.`)
  const { parameters } = input
  const isMap = typeof parameters === 'object' && parameters !== null && !Array.isArray(parameters)
  const before = problems.found.length
  if (!isMap) problems.add('parameters', 'must be a JSON object.')
  else checkJson('parameters', parameters, problems)
  // Only what is bounded in depth can be written out and measured.
  if (problems.found.length === before && Buffer.byteLength(JSON.stringify(parameters)) > parametersBytesMax)
    problems.add('parameters', `must be at most ${parametersBytesMax} bytes as JSON.`)
  const references = input.artifactIds ?? []
  if (references.length > programArtifactsMax)
    problems.add('artifactIds', `must have at most ${programArtifactsMax} artifacts; given: ${references.length}.`)
  const found = references
    .slice(0, programArtifactsMax)
    .map((reference, index) => artifactOf(`artifactIds.${index}`, reference, artifacts, problems))
    .filter((artifact) => artifact !== null)
  return {
    name: input.name,
    parameters,
    ...(found.length > 0 ? { artifacts: found.map(({ record }) => stored(record)) } : {}),
  }
}
