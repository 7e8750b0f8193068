/** A model that no device could ever hold is refused before anything waits for it. */
import type { CatalogueEntry } from './catalogue.ts'
import type { AppContext } from './context.ts'
import { ModelTooLarge } from './errors.ts'

export function tooLarge(context: AppContext, entry: CatalogueEntry): ModelTooLarge | null {
  if (!entry.spec) return null
  const misfit = context.shell.misfit(entry.spec.versionId)
  if (!misfit) return null
  const { neededBytes, availableBytes } = misfit
  return new ModelTooLarge(
    `${entry.model.name} needs ${mib(neededBytes)}, but the largest device offers ${mib(availableBytes)} for it.`,
    neededBytes,
    availableBytes,
    'Raise the memory limit of a device, or use a smaller model or precision.',
  )
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`
}
