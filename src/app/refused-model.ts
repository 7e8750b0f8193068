/** A model that is being verified, was refused, or whose files are gone is listed, and not run. */
import { type CatalogueEntry, shortDigest } from './catalogue.ts'
import { Conflict } from './errors.ts'

export function refusedModel({ model, version, problem, verified }: CatalogueEntry): Conflict {
  const name = `${model.name}@${shortDigest(version.sha256)}`
  switch (version.state) {
    case 'VERIFYING':
      return new Conflict(
        `Model ${model.name} is being verified: ${mib(verified.bytes)} of ${mib(verified.totalBytes)} are read. Submit again when modelEvents tells ModelRegistered.`,
      )
    case 'REMOVED':
      return new Conflict(`Model ${name} is not here any more. ${problem ?? ''}`.trim())
    case 'REFUSED':
    case 'READY':
      return new Conflict(
        `Model ${model.name} was refused when it was registered, so it cannot run. ${problem ?? ''}`.trim(),
      )
    default:
      return version.state satisfies never
  }
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`
}
