/** What a modelled worker has loaded: models whole or in part, and the files that they were made from. */
import type { VersionId } from '../scheduler/ids.ts'
import { isUnchanged, originalContent, type SeenFile } from './model-files.ts'

interface Model {
  readonly file: SeenFile
  readonly components: Set<number>
  isWhole: boolean
}

export class LoadedModels {
  readonly #models = new Map<VersionId, Model>()

  /** A load begins; what is left of one that failed is forgotten. */
  begin(versionId: VersionId, file: SeenFile): void {
    this.#models.set(versionId, { file, components: new Set(), isWhole: false })
  }

  addComponent(versionId: VersionId, component: number): void {
    this.#models.get(versionId)?.components.add(component)
  }

  complete(versionId: VersionId): void {
    const model = this.#models.get(versionId)
    if (!model) throw new Error(`Version ${versionId} is loaded, and its load never began.`)
    if (model.file.file.content !== originalContent)
      throw new Error(`Version ${versionId} is loaded from another's files.`)
    model.isWhole = true
  }

  remove(versionId: VersionId): void {
    this.#models.delete(versionId)
  }

  /** A task that needs these components can run. */
  canRun(versionId: VersionId, components: readonly number[]): boolean {
    const model = this.#models.get(versionId)
    if (!model || model.isWhole) return model !== undefined
    return components.length > 0 && components.every((one) => model.components.has(one))
  }

  isStale(versionId: VersionId): boolean {
    const model = this.#models.get(versionId)
    return model === undefined || !isUnchanged(model.file)
  }
}
