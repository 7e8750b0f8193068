/** What a job of pictures is accepted under: settings as they are now, and what its model says. */
import type { Config } from '../../config/config.ts'
import type { Manifest } from '../../runtime/models/manifest.ts'
import { checkingProgram } from '../../runtime/models/picture-programs.ts'
import type { TaskKind } from '../../store/records.ts'
import type { PreviewInput } from '../app.ts'
import { Conflict } from '../errors.ts'
import type { PictureTerms, SafetyPolicy } from '../picture-terms.ts'

/** Where a manifest does not say from which score on a picture is unsafe. */
const thresholdDefault = 0.8

/** Null of a task that makes no pictures. */
export function pictureTerms(
  taskKind: TaskKind,
  { options }: Manifest,
  config: Pick<Config, 'HEARTH_PICTURE_FORMAT' | 'HEARTH_SAFETY_POLICY'>,
  previews: PreviewInput | null,
): PictureTerms | null {
  if (taskKind !== 'textToImage' && taskKind !== 'upscaleImage') return null
  return {
    format: config.HEARTH_PICTURE_FORMAT,
    safety: {
      // A picture that somebody has, and gets back larger, is nothing that was made here.
      policy: taskKind === 'upscaleImage' ? 'off' : config.HEARTH_SAFETY_POLICY,
      threshold: options.safety?.threshold ?? thresholdDefault,
    },
    previews,
  }
}

/** Why no job of the model can be accepted under the policy; null when one can. */
export function withoutChecker(manifest: Manifest, policy: SafetyPolicy): Conflict | null {
  if (manifest.task !== 'textToImage' || policy === 'off') return null
  if (manifest.graph.some(({ program }) => program === checkingProgram)) return null
  return new Conflict(
    `Model ${manifest.name} has no safety checker, and pictures are to be checked (HEARTH_SAFETY_POLICY=${policy}). Add a node of program ${checkingProgram} to its graph (docs/pictures.md), or start the server with HEARTH_SAFETY_POLICY=off.`,
  )
}
