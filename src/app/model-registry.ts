/**
 * Which models there are, and whether their files are still those that were read. The content is the version: files that change give a new version,
 * files that were only touched the same one again, and a version whose files are gone is never loaded any more. Files are read in the background;
 * what is told of them is true of one content, never of two.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytesToRead, type FoundModel, unverified } from '../runtime/models/found-model.ts'
import type { ModelSource } from '../runtime/models/model-source.ts'
import type { VersionId } from '../scheduler/ids.ts'
import type { Store } from '../store/store.ts'
import type { CatalogueEntry } from './catalogue.ts'
import { Conflict, type Overloaded } from './errors.ts'
import { ModelReader, type ModelReaderParts, type Origin } from './model-reader.ts'
import { type Progress, writeVersion } from './register-models.ts'
import { type ReadingProblem, refusalOf, takenName, tooManyModels, tooManyReadings } from './registration-refusals.ts'
import { VersionChanges, type VersionChangesParts } from './version-changes.ts'
import { areAsRead, pathsOf, type SeenFiles, sameFiles, seeFiles } from './watched-files.ts'

export interface RegistryParts extends VersionChangesParts, Omit<ModelReaderParts, 'settleMs'> {
  readonly store: Store
  readonly limits: RegistryLimits
}
export interface RegistryLimits {
  readonly modelsMax: number
  /** How often files are looked at. */
  readonly checkMs: number
}

/** A model whose files are being read for the first time at their place. */
export interface Reading {
  /** `problem`: it is not what was asked for, and nothing has changed. */
  readonly done: Promise<CatalogueEntry | ReadingProblem>
  /** Shows the model as one that is being verified, from now on until it is done; if it is done, how it ended. */
  show(): Promise<CatalogueEntry | ReadingProblem>
}
interface Place extends Origin {
  /** Of the content that was read last. */
  versionId: VersionId | null
  seen: SeenFiles
  /** While its files are being read. */
  work: Promise<void> | null
}

const readingsMax = 8
const settleMsMax = 200
/** Looks at the files until what was replaced is unloaded: a job that was accepted at the last moment finds it loaded. */
const looksBeforeLettingGo = 5

export class ModelRegistry {
  readonly #parts: RegistryParts
  readonly #places = new Map<string, Place>()
  readonly #reader: ModelReader
  readonly #versions: VersionChanges
  #readings = 0

  constructor(parts: RegistryParts) {
    this.#parts = parts
    this.#reader = new ModelReader({ ...parts, settleMs: Math.min(settleMsMax, parts.limits.checkMs) })
    this.#versions = new VersionChanges(parts)
  }

  /** Models may be registered from below them. */
  get folders(): readonly string[] {
    return this.#parts.folders
  }

  /** What a start found and has read. */
  async addFound(origin: Origin, found: FoundModel): Promise<CatalogueEntry> {
    const place: Place = { ...origin, versionId: null, seen: new Map(), work: null }
    this.#places.set(origin.name, place)
    const seen = await seeFiles(pathsOf(origin.path, found))
    const entry = await this.#write(found, progressOf(found))
    this.#adopt(place, entry, seen)
    // Reading all models takes time, in which the files of this one may have changed.
    if (!areAsRead(found, seen)) void this.#refresh(place)
    return entry
  }

  /** A registration that could not be read at the start: it is looked for again and again. */
  addMissing(origin: Origin): void {
    this.#places.set(origin.name, { ...origin, versionId: null, seen: nothingAt(origin.path), work: null })
  }

  /** It stands in a model folder, so that every start finds it by itself. */
  isFoundByItself(name: string): boolean {
    return this.#places.get(name)?.isRegistered === false
  }

  /** Begins to read the files of a model that somebody registers; refused when the name or the limits do not allow it. */
  read(origin: Origin, source: ModelSource, expectedSha256: string | null): Reading | Conflict | Overloaded {
    const known = this.#places.get(origin.name)
    const isSamePlace = known !== undefined && (known.path === origin.path || this.#isMadeOf(known, source))
    if (known && !isSamePlace && !this.#isGone(known)) return takenName(origin.name, known.path)
    if (known?.work) return new Conflict(`${origin.name} is being read just now; try again when that is done.`)
    const refusal = this.#refuseWhenFull(known !== undefined)
    if (refusal) return refusal
    const place: Place = isSamePlace
      ? known
      : { ...origin, versionId: known?.versionId ?? null, seen: new Map(), work: null }
    this.#places.set(origin.name, place)
    const progress: Progress = { bytes: 0, totalBytes: bytesToRead(source, this.#parts.digests).totalBytes }
    let shown: Promise<CatalogueEntry> | null = null
    let isRead = false
    const takeShown = () => {
      isRead = true
      return shown
    }
    const giveUp = () => (known ? this.#places.set(origin.name, known) : this.#places.delete(origin.name))
    const work = async (): Promise<CatalogueEntry | ReadingProblem> => {
      try {
        const result = await this.#readFirst(place, source, progress, expectedSha256, takeShown)
        if ('field' in result) giveUp()
        return result
      } catch (error) {
        giveUp()
        throw error
      } finally {
        place.work = null
        this.#readings -= 1
      }
    }
    this.#readings += 1
    const done = work()
    place.work = this.#inBackground(done, origin.name)
    return { done, show: () => (isRead ? done : (shown ??= this.#show(source, progress))) }
  }

  /** Looks at all files now and then. Ends with `signal`. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#parts.limits.checkMs, undefined, { signal, ref: false }).catch(() => {})
      if (signal.aborted) break
      this.#versions.letGo(this.#parts.limits.checkMs * looksBeforeLettingGo)
      for (const place of this.#places.values()) {
        if (place.work !== null) continue
        const seen = await seeFiles(place.seen.keys())
        // Another may have taken its name meanwhile.
        if (this.#places.get(place.name) === place && !sameFiles(place.seen, seen)) void this.#refresh(place)
      }
    }
    this.#reader.close()
  }

  /** A worker found other files than those that were read: they are read again, and the scheduler is told. */
  async check(versionId: VersionId): Promise<void> {
    const place = [...this.#places.values()].find((known) => known.versionId === versionId)
    // Work that is under way may have looked before the worker did; a second look is cheap.
    if (place?.work) await place.work
    if (place) await this.#refresh(place)
    if (this.#reader.isClosed) return
    const isIntact = (this.#parts.catalogue.version(versionId)?.spec ?? null) !== null
    this.#parts.shell.feed({ type: 'versionChecked', versionId, state: isIntact ? 'intact' : 'gone' })
  }

  #refuseWhenFull(isKnown: boolean): Overloaded | null {
    if (this.#readings >= readingsMax) return tooManyReadings(this.#readings)
    // What was refused keeps its name in the catalogue, so that it can be seen.
    const known = Math.max(this.#places.size, this.#parts.catalogue.current().length)
    return isKnown || known < this.#parts.limits.modelsMax ? null : tooManyModels(known)
  }

  /** Another path may lead to the same files. */
  #isMadeOf({ versionId }: Place, { directory, components }: ModelSource): boolean {
    const entry = versionId === null ? null : this.#parts.catalogue.version(versionId)
    const paths = components.flatMap(({ files }) => files.map(({ path }) => join(directory, path)))
    return (
      entry?.version.directory === directory &&
      entry.files.length === paths.length &&
      entry.files.every(({ path }) => paths.includes(path))
    )
  }

  #isGone({ versionId, work }: Place): boolean {
    if (work !== null) return false
    return versionId === null || this.#parts.catalogue.version(versionId)?.version.state === 'REMOVED'
  }

  async #readFirst(
    place: Place,
    source: ModelSource,
    progress: Progress,
    expectedSha256: string | null,
    takeShown: () => Promise<CatalogueEntry> | null,
  ): Promise<CatalogueEntry | ReadingProblem> {
    const read = await this.#reader.readWhole(place, source, progress)
    const provisional = (await takeShown())?.version.id ?? null
    const refuse = async (problem: ReadingProblem): Promise<ReadingProblem> => {
      const refused: FoundModel = { ...unverified(source), state: 'REFUSED', problem: problem.problem }
      // Whoever was shown that it is being read is shown how it ended.
      if (provisional !== null) {
        const entry = await this.#write(refused, progress, provisional)
        this.#parts.catalogue.add(entry)
        this.#versions.forgetOld(entry.model)
      }
      return problem
    }
    if ('gone' in read) return refuse({ field: 'path', problem: read.gone })
    const refusal = refusalOf(read.found, expectedSha256)
    if (refusal) return refuse(refusal)
    const entry = await this.#write(read.found, progress, provisional)
    if (provisional !== null && provisional !== entry.version.id) this.#parts.catalogue.remove(provisional)
    if (this.#adopt(place, entry, read.seen)) this.#versions.loadWanted(entry.version.id)
    return entry
  }

  async #show(source: ModelSource, progress: Progress): Promise<CatalogueEntry> {
    const entry = await this.#write(unverified(source), progress)
    this.#parts.catalogue.add(entry)
    return entry
  }

  #refresh(place: Place): Promise<void> {
    place.work ??= this.#inBackground(
      this.#refreshNow(place).finally(() => {
        place.work = null
      }),
      place.name,
    )
    return place.work
  }

  async #refreshNow(place: Place): Promise<void> {
    await this.#reader.whenLeftAlone([...place.seen.keys()])
    const progress: Progress = { bytes: 0, totalBytes: 0 }
    const read = await this.#reader.readWhole(place, await this.#reader.look(place), progress)
    if (this.#reader.isClosed) return
    if ('gone' in read) {
      place.seen = await seeFiles([...place.seen.keys(), ...pathsOf(place.path, null)])
      if (place.versionId !== null) this.#versions.retire(place.versionId, read.gone)
      return
    }
    const entry = await this.#write(read.found, progress)
    for (const path of place.seen.keys()) if (!read.seen.has(path)) this.#parts.digests.forget(path)
    if (this.#adopt(place, entry, read.seen)) this.#versions.loadWanted(entry.version.id)
  }

  /** The content at the place is this version from now on. Whether it can run, and could not before. */
  #adopt(place: Place, entry: CatalogueEntry, seen: SeenFiles): boolean {
    const before = place.versionId
    place.versionId = entry.version.id
    place.seen = seen
    return this.#versions.adopt(entry, before)
  }

  #write(found: FoundModel, progress: Progress, provisional: VersionId | null = null): Promise<CatalogueEntry> {
    return writeVersion(this.#parts.store, found, this.#parts.clock.now(), progress, provisional)
  }

  /** Settles when the work does; what goes wrong in it is logged, and looked at again with the next change. */
  #inBackground(work: Promise<unknown>, name: string): Promise<void> {
    return work.then(
      () => {},
      (error: unknown) => {
        if (!this.#reader.isClosed)
          this.#parts.logger.error({ name, err: error }, 'the files of a model could not be read')
      },
    )
  }
}

function progressOf(found: FoundModel): Progress {
  const totalBytes = found.files.reduce((sum, file) => sum + file.sizeBytes, 0)
  return { bytes: totalBytes, totalBytes }
}

function nothingAt(path: string): SeenFiles {
  return new Map(pathsOf(path, null).map((each) => [each, null]))
}
