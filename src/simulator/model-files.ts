/**
 * The files of the models of a simulated world, and the registry that watches them: they are touched, overwritten in place, replaced by rename and
 * brought back while models are loaded. The registry looks now and then, reads what has changed, and reads again when it is asked to.
 */
import type { SchedulerEvent, VersionSpec } from '../scheduler/events.ts'
import type { VersionId } from '../scheduler/ids.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

/** One inode. The stamp changes with every write and every touch. */
export interface StoredFile {
  stamp: number
  content: number
}

/** A file as it was at some time; it is unchanged as long as its stamp is that. */
export interface SeenFile {
  readonly file: StoredFile
  readonly stamp: number
}

export interface FileSurroundings {
  readonly random: Random
  readonly timeline: Timeline
  feed(event: SchedulerEvent): void
}

/** What the versions of the scenario were made from; any other content is another version, which nobody asks for. */
export const originalContent = 0

export class ModelFiles {
  readonly #world: FileSurroundings
  readonly #versions: ReadonlyMap<VersionId, VersionSpec>
  /** What lies at each version's path. */
  readonly #places = new Map<VersionId, StoredFile>()
  /** What the server knows to be the version. */
  readonly #verified = new Map<VersionId, SeenFile>()
  #contents = originalContent
  /** Readings of a server that is gone lead nowhere. */
  #server = 0

  constructor(world: FileSurroundings, versions: readonly VersionSpec[]) {
    this.#world = world
    this.#versions = new Map(versions.map((version) => [version.versionId, version]))
    for (const { versionId } of versions) this.#places.set(versionId, { stamp: 0, content: originalContent })
  }

  /** A server starts: it reads everything, and registers what it knows. */
  registerAll(): void {
    this.#server += 1
    this.#verified.clear()
    for (const versionId of this.#versions.keys())
      if (this.at(versionId).file.content === originalContent) this.#register(versionId)
  }

  /** What lies at the version's path now. */
  at(versionId: VersionId): SeenFile {
    const file = this.#places.get(versionId)
    if (!file) throw new Error(`Version ${versionId} has no file.`)
    return { file, stamp: file.stamp }
  }

  /** What goes out with a LOAD. */
  verified(versionId: VersionId): SeenFile {
    const seen = this.#verified.get(versionId)
    if (!seen) throw new Error(`Version ${versionId} is loaded and was never registered.`)
    return seen
  }

  isAt(versionId: VersionId, seen: SeenFile): boolean {
    return this.#places.get(versionId) === seen.file && isUnchanged(seen)
  }

  /** Somebody does something to the files; the registry notices a little later. */
  disturb(versionId: VersionId): void {
    const { random, timeline } = this.#world
    const { file } = this.at(versionId)
    const content = random.chance(0.4) ? originalContent : this.#otherContent()
    switch (random.pick(['touch', 'overwrite', 'replace'] as const)) {
      case 'touch':
        file.stamp += 1
        break
      case 'overwrite':
        file.stamp += 1
        file.content = content
        break
      case 'replace':
        this.#places.set(versionId, { stamp: 0, content })
    }
    const server = this.#server
    timeline.after(random.between(0, 300), () => this.#server === server && this.#notice(versionId))
  }

  /** The scheduler has asked: the answer is that of a reading that nobody disturbed. */
  check(versionId: VersionId): void {
    const { random, timeline } = this.#world
    const server = this.#server
    const seen = this.at(versionId)
    timeline.after(random.between(5, 200), () => {
      if (this.#server !== server) return
      if (!this.isAt(versionId, seen)) return this.check(versionId)
      const isIntact = seen.file.content === originalContent
      if (isIntact) this.#verified.set(versionId, seen)
      this.#world.feed({ type: 'versionChecked', versionId, state: isIntact ? 'intact' : 'gone' })
    })
  }

  #notice(versionId: VersionId): void {
    const known = this.#verified.get(versionId)
    if (known && this.isAt(versionId, known)) return
    if (this.at(versionId).file.content === originalContent) this.#register(versionId)
    else this.#world.feed({ type: 'versionReplaced', versionId })
  }

  #register(versionId: VersionId): void {
    const version = this.#versions.get(versionId)
    if (!version) return
    this.#verified.set(versionId, this.at(versionId))
    this.#world.feed({ type: 'versionRegistered', version })
  }

  #otherContent(): number {
    this.#contents += 1
    return this.#contents
  }
}

export function isUnchanged({ file, stamp }: SeenFile): boolean {
  return file.stamp === stamp
}
