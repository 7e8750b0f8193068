/** A model whose files were refused is listed, and never run. */
import type { CatalogueEntry } from './catalogue.ts'
import { Conflict } from './errors.ts'

export function refusedModel({ model, problem }: CatalogueEntry): Conflict {
  return new Conflict(
    `Model ${model.name} was refused when it was registered, so it cannot run. ${problem ?? ''}`.trim(),
  )
}
