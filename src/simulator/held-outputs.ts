/** Outputs that a modelled worker holds. Some vanish before anybody takes them, as a fault. */
import type { TaskId, VersionId } from '../scheduler/ids.ts'
import type { ModelledTask } from './modelled-task.ts'

export class HeldOutputs {
  readonly #versions = new Map<TaskId, VersionId>()
  readonly #lost = new Set<TaskId>()

  hold({ taskId, nature }: ModelledTask): void {
    this.#lost.delete(taskId)
    if (nature.lossesLeft > 0) {
      nature.lossesLeft -= 1
      this.#lost.add(taskId)
    } else {
      this.#versions.set(taskId, nature.versionId)
    }
  }

  release(taskId: TaskId): void {
    this.#versions.delete(taskId)
  }

  unload(versionId: VersionId): void {
    for (const [taskId, version] of this.#versions) if (version === versionId) this.release(taskId)
  }

  /** Throws where nothing explains that one is missing. */
  areThere(inputs: readonly TaskId[]): boolean {
    const missing = inputs.filter((taskId) => !this.#versions.has(taskId))
    const unexplained = missing.find((taskId) => !this.#lost.has(taskId))
    if (unexplained !== undefined)
      throw new Error(`A task is to take the output of task ${unexplained}, which is not held.`)
    return missing.length === 0
  }
}
