/** embedText: what is accepted. */
import type { Manifest } from '../../runtime/models/manifest.ts'
import type { Problems } from './problems.ts'

const textsMaxDefault = 10_000

export interface EmbedTextRequest {
  readonly texts: readonly string[]
}

export function normaliseEmbedText(
  input: { readonly texts: readonly string[] },
  manifest: Manifest,
  textBytesMax: number,
  problems: Problems,
): EmbedTextRequest {
  const textsMax = manifest.limits.maxTexts ?? textsMaxDefault
  if (input.texts.length === 0) problems.add('texts', 'must have at least one text.')
  if (input.texts.length > textsMax)
    problems.add('texts', `must have at most ${textsMax} texts; given: ${input.texts.length}.`)
  for (const [index, text] of input.texts.slice(0, textsMax).entries())
    problems.text(`texts.${index}`, text, textBytesMax)
  return { texts: input.texts }
}
