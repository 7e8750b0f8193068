/** Reads the files of a model where they lie, until what was read is what lies there: what is told of them is true of one content, never of two. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DigestCache } from '../runtime/models/digest-cache.ts'
import { bytesToRead, type FoundModel, verifySource } from '../runtime/models/found-model.ts'
import { type ModelSource, readSource } from '../runtime/models/model-source.ts'
import type { Logger } from './logger.ts'
import { locateModel } from './model-paths.ts'
import type { Progress } from './register-models.ts'
import { areAsRead, pathsOf, type SeenFiles, sameFiles, seeFiles } from './watched-files.ts'

/** Where a model comes from. */
export interface Origin {
  readonly name: string
  /** Absolute. */
  readonly path: string
  /** As asked for; null = what the file says. */
  readonly task: string | null
  /** False: it stands in a model folder, where the next start finds it again. */
  readonly isRegistered: boolean
}

/** Why there is nothing to be read, for people. */
export interface Gone {
  readonly gone: string
}

export interface ModelReaderParts {
  readonly digests: DigestCache
  readonly logger: Logger
  /** Absolute; models may be registered from below them. */
  readonly folders: readonly string[]
  /** Files that change are left alone for so long before they are read, so that half of a copy is not taken for a version. */
  readonly settleMs: number
}

export class ModelReader {
  readonly #parts: ModelReaderParts
  #isClosed = false

  constructor(parts: ModelReaderParts) {
    this.#parts = parts
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** What is being read ends without a result. */
  close(): void {
    this.#isClosed = true
  }

  /** Reads until what was read is what lies there. */
  async readWhole(
    place: Origin,
    first: ModelSource | Gone,
    progress: Progress,
  ): Promise<{ readonly found: FoundModel; readonly seen: SeenFiles } | Gone> {
    const { digests } = this.#parts
    let source = first
    for (;;) {
      if ('gone' in source || this.#isClosed)
        return { gone: 'gone' in source ? source.gone : 'The server is stopping.' }
      progress.bytes = 0
      progress.totalBytes = bytesToRead(source, digests).totalBytes
      const found = await verifySource(source, digests, (bytes) => {
        progress.bytes += bytes
      })
      // What is not kept is read again by the next server.
      await digests.save().catch((err: unknown) => this.#parts.logger.warn({ err }, 'digests could not be kept'))
      const seen = await seeFiles(pathsOf(place.path, found))
      if (areAsRead(found, seen)) return { found, seen }
      await this.whenLeftAlone([...seen.keys()])
      source = await this.look(place)
    }
  }

  /** What lies at the place now. */
  async look({ name, path, task, isRegistered }: Origin): Promise<ModelSource | Gone> {
    try {
      if (isRegistered) {
        const located = await locateModel(path, this.#parts.folders)
        if (typeof located !== 'string') return { gone: located.message }
      }
      const source = await readSource(path, { name: isRegistered ? name : null, task })
      if ('field' in source) return { gone: source.message }
      if (source.manifest.name === name) return source
      return { gone: `Its manifest gives the name ${source.manifest.name} now, which the next start takes up.` }
    } catch (error) {
      return { gone: `${path} cannot be read any more: ${error instanceof Error ? error.message : String(error)}.` }
    }
  }

  /** Resolves when none of them has changed for a while. */
  async whenLeftAlone(paths: readonly string[]): Promise<void> {
    for (let before = await seeFiles(paths); !this.#isClosed; ) {
      await sleep(this.#parts.settleMs)
      const after = await seeFiles(paths)
      if (sameFiles(before, after)) return
      before = after
    }
  }
}
