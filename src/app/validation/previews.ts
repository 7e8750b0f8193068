/** Previews: how pictures look on their way. Only tasks that make pictures from a prompt have any, and only of models that can show them. */
import type { Manifest } from '../../runtime/models/manifest.ts'
import { previewComponent } from '../../runtime/models/picture-programs.ts'
import type { TaskKind } from '../../store/records.ts'
import type { PreviewInput } from '../app.ts'
import type { Problems } from './problems.ts'

const widthMin = 16
const widthMax = 1024
const everyStepsMax = 2 ** 31 - 1

/** `manifest` null: of a model that is not known. */
export function checkPreviews(
  { everySteps, maxWidth }: PreviewInput,
  taskKind: TaskKind,
  manifest: Manifest | null,
  problems: Problems,
): void {
  if (taskKind !== 'textToImage')
    return problems.add('previews', `only textToImage has previews; leave them out of ${taskKind}.`)
  if (manifest && !manifest.components.some(({ name }) => name === previewComponent))
    problems.add(
      'previews',
      `model ${manifest.name} has no component ${previewComponent}, so it makes none; leave them out.`,
    )
  problems.integer('previews.everySteps', everySteps, 1, everyStepsMax)
  problems.integer('previews.maxWidth', maxWidth, widthMin, widthMax)
}
