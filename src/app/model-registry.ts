/**
 * Which models there are, and whether their files are still those that were read. The content is the version: files that change give a new version,
 * files that were only touched the same one again, and a version whose files are gone is never loaded any more. Files are read in the background;
 * what is told of them is true of one content, never of two.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DigestCache } from '../runtime/models/digest-cache.ts'
import { bytesToRead, type FoundModel, unverified, verifySource } from '../runtime/models/found-model.ts'
import { type ModelSource, readSource } from '../runtime/models/model-source.ts'
import type { VersionId } from '../scheduler/ids.ts'
import type { Store } from '../store/store.ts'
import type { Catalogue, CatalogueEntry } from './catalogue.ts'
import type { Clock } from './clock.ts'
import { Conflict, Overloaded } from './errors.ts'
import type { LiveJobs } from './live-jobs.ts'
import type { Logger } from './logger.ts'
import type { ModelEvents } from './model-events.ts'
import { locateModel } from './model-paths.ts'
import { type Progress, writeVersion } from './register-models.ts'
import type { Shell } from './shell.ts'
import type { WantedModels } from './wanted-models.ts'
import { areAsRead, pathsOf, type SeenFiles, sameFiles, seeFiles } from './watched-files.ts'

export interface RegistryParts {
  readonly store: Store
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly shell: Shell
  readonly models: ModelEvents
  readonly live: LiveJobs
  readonly wanted: WantedModels
  readonly digests: DigestCache
  readonly logger: Logger
  /** Absolute; models may be registered from below them. */
  readonly folders: readonly string[]
  readonly limits: RegistryLimits
}
export interface RegistryLimits {
  readonly modelsMax: number
  /** How often files are looked at. */
  readonly checkMs: number
}

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

/** A model whose files are being read for the first time at their place. */
export interface Reading {
  /** `problem`: it is not what was asked for, and nothing has changed. */
  readonly done: Promise<CatalogueEntry | ReadingProblem>
  /** Shows the model as one that is being verified, from now on until it is done; if it is done, how it ended. */
  show(): Promise<CatalogueEntry | ReadingProblem>
}
export interface ReadingProblem {
  readonly field: 'path' | 'expectedSha256'
  readonly problem: string
}

interface Place extends Origin {
  /** Of the content that was read last. */
  versionId: VersionId | null
  seen: SeenFiles
  /** While its files are being read. */
  work: Promise<void> | null
}

const readingsMax = 8
const retryWhenFullMs = 5000
/** Files that change are left alone for so long before they are read, so that half of a copy is not taken for a version. */
const settleMsMax = 200
/** Versions without files that a model keeps in memory though nothing refers to them. */
const removedKept = 4

export class ModelRegistry {
  readonly #parts: RegistryParts
  readonly #places = new Map<string, Place>()
  readonly #settleMs: number
  #readings = 0
  #isClosed = false

  constructor(parts: RegistryParts) {
    this.#parts = parts
    this.#settleMs = Math.min(settleMsMax, parts.limits.checkMs)
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

  hasPlace(name: string): boolean {
    return this.#places.has(name)
  }

  /** Begins to read the files of a model that somebody registers; refused when the name or the limits do not allow it. */
  read(origin: Origin, source: ModelSource, expectedSha256: string | null): Reading | Conflict | Overloaded {
    const known = this.#places.get(origin.name)
    if (known && known.path !== origin.path && !this.#isGone(known)) return takenName(origin.name, known.path)
    if (known?.work) return new Conflict(`${origin.name} is being read just now; try again when that is done.`)
    const refusal = this.#refuseWhenFull(known !== undefined)
    if (refusal) return refusal
    const isSamePlace = known?.path === origin.path
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
      for (const place of this.#places.values()) {
        if (place.work === null && !sameFiles(place.seen, await seeFiles(place.seen.keys()))) void this.#refresh(place)
      }
    }
    this.#isClosed = true
  }

  /** A worker found other files than those that were read: they are read again, and the scheduler is told. */
  async check(versionId: VersionId): Promise<void> {
    const place = [...this.#places.values()].find((known) => known.versionId === versionId)
    // Work that is under way may have looked before the worker did; a second look is cheap.
    if (place?.work) await place.work
    if (place) await this.#refresh(place)
    if (this.#isClosed) return
    const isIntact = (this.#parts.catalogue.version(versionId)?.spec ?? null) !== null
    this.#parts.shell.feed({ type: 'versionChecked', versionId, state: isIntact ? 'intact' : 'gone' })
  }

  #refuseWhenFull(isKnown: boolean): Overloaded | null {
    const { modelsMax } = this.#parts.limits
    if (this.#readings >= readingsMax)
      return new Overloaded(
        'verifying',
        retryWhenFullMs,
        `${this.#readings} models are being read already; register this one when one of them is done.`,
      )
    if (isKnown || this.#places.size < modelsMax) return null
    return new Overloaded(
      'models',
      retryWhenFullMs,
      `There are ${this.#places.size} of at most ${modelsMax} models; raise HEARTH_MODEL_LIMIT to register more.`,
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
    const read = await this.#readWhole(place, source, progress)
    const provisional = (await takeShown())?.version.id ?? null
    const refuse = async (problem: ReadingProblem): Promise<ReadingProblem> => {
      const refused: FoundModel = { ...unverified(source), state: 'REFUSED', problem: problem.problem }
      // Whoever was shown that it is being read is shown how it ended.
      if (provisional !== null) this.#parts.catalogue.add(await this.#write(refused, progress, provisional))
      return problem
    }
    if ('gone' in read) return refuse({ field: 'path', problem: read.gone })
    const refusal = refusalOf(read.found, expectedSha256)
    if (refusal) return refuse(refusal)
    const entry = await this.#write(read.found, progress, provisional)
    if (provisional !== null && provisional !== entry.version.id) this.#parts.catalogue.remove(provisional)
    this.#adopt(place, entry, read.seen)
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
    await this.#whenLeftAlone([...place.seen.keys()])
    const progress: Progress = { bytes: 0, totalBytes: 0 }
    const read = await this.#readWhole(place, await this.#look(place), progress)
    if (this.#isClosed) return
    if ('gone' in read) {
      place.seen = await seeFiles([...place.seen.keys(), ...pathsOf(place.path, null)])
      if (place.versionId !== null) this.#retire(place.versionId, read.gone)
      return
    }
    const entry = await this.#write(read.found, progress)
    for (const path of place.seen.keys()) if (!read.seen.has(path)) this.#parts.digests.forget(path)
    this.#adopt(place, entry, read.seen)
  }

  /** Reads until what was read is what lies there. */
  async #readWhole(
    place: Place,
    first: ModelSource | { readonly gone: string },
    progress: Progress,
  ): Promise<{ readonly found: FoundModel; readonly seen: SeenFiles } | { readonly gone: string }> {
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
      await this.#whenLeftAlone([...seen.keys()])
      source = await this.#look(place)
    }
  }

  /** What lies at the place now. */
  async #look({ name, path, task, isRegistered }: Place): Promise<ModelSource | { readonly gone: string }> {
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

  async #whenLeftAlone(paths: readonly string[]): Promise<void> {
    for (let before = await seeFiles(paths); !this.#isClosed; ) {
      await sleep(this.#settleMs)
      const after = await seeFiles(paths)
      if (sameFiles(before, after)) return
      before = after
    }
  }

  /** The content at the place is this version from now on. */
  #adopt(place: Place, entry: CatalogueEntry, seen: SeenFiles): void {
    const { catalogue, shell, models, clock, logger } = this.#parts
    const { id } = entry.version
    const before = place.versionId
    const wasRunnable = (catalogue.version(id)?.spec ?? null) !== null
    place.versionId = id
    place.seen = seen
    if (before !== null && before !== id)
      this.#retire(before, `Its files have been replaced; the model's version is ${shortDigest(entry)} now.`)
    catalogue.add(entry)
    if (entry.spec === null) {
      logger.warn({ directory: entry.version.directory, problem: entry.problem }, 'model refused')
      if (wasRunnable) shell.feed({ type: 'versionReplaced', versionId: id })
      return
    }
    if (wasRunnable) return
    shell.feed({ type: 'versionRegistered', version: entry.spec })
    models.registered(entry.model.id, id, clock.now())
    if (before !== null && before !== id) this.#passOnWishes(before, id)
  }

  /** The version cannot be loaded any more: what is resident ends its work, and its history stays. */
  #retire(versionId: VersionId, problem: string): void {
    const { catalogue, shell, logger } = this.#parts
    const entry = catalogue.version(versionId)
    if (!entry || entry.version.state === 'REMOVED') return
    catalogue.update({ ...entry, spec: null, problem, version: { ...entry.version, state: 'REMOVED' } })
    logger.info({ model: entry.model.name, version: shortDigest(entry), problem }, 'version removed')
    if (entry.spec !== null) shell.feed({ type: 'versionReplaced', versionId })
    this.#forgetOld(entry)
  }

  /** Whoever wanted the model loaded wants it as it is now. */
  #passOnWishes(from: VersionId, to: VersionId): void {
    const { wanted, shell } = this.#parts
    for (const { versionId, deviceId } of wanted.all()) {
      if (versionId !== from) continue
      wanted.remove(from, deviceId)
      wanted.add(to, deviceId)
      shell.feed({ type: 'loadRequested', versionId: to, deviceId })
    }
  }

  #forgetOld({ model }: CatalogueEntry): void {
    const { catalogue, models, live } = this.#parts
    const removed = catalogue.ofModel(model.id).filter(({ version }) => version.state === 'REMOVED')
    if (removed.length <= removedKept) return
    const inUse = new Set<VersionId>()
    for (const id of live.ids()) {
      const job = live.get(id)
      if (job) inUse.add(job.record.versionId)
    }
    for (const { version } of removed.slice(0, -removedKept))
      if (!inUse.has(version.id) && models.residencies({ versionId: version.id }).length === 0)
        catalogue.remove(version.id)
  }

  #write(found: FoundModel, progress: Progress, provisional: VersionId | null = null): Promise<CatalogueEntry> {
    return writeVersion(this.#parts.store, found, this.#parts.clock.now(), progress, provisional)
  }

  /** Settles when the work does; what goes wrong in it is logged, and looked at again with the next change. */
  #inBackground(work: Promise<unknown>, name: string): Promise<void> {
    return work.then(
      () => {},
      (error: unknown) => {
        if (!this.#isClosed) this.#parts.logger.error({ name, err: error }, 'the files of a model could not be read')
      },
    )
  }
}

/** `name@version` as requests give it. */
function shortDigest({ version }: CatalogueEntry): string {
  return version.sha256.slice(0, 12)
}

function refusalOf(found: FoundModel, expectedSha256: string | null): ReadingProblem | null {
  if (found.problem !== null) return { field: 'path', problem: found.problem }
  if (expectedSha256 === null) return null
  const isFile = found.manifestFile === null
  const measured = isFile ? found.files[0]?.sha256 : found.sha256
  if (measured === expectedSha256) return null
  const whose = isFile ? `${found.files[0]?.path} has` : 'its manifest and files together have'
  return {
    field: 'expectedSha256',
    problem: `${whose} the digest ${measured}; expected was ${expectedSha256}. Fetch it again, or check the digest.`,
  }
}

function takenName(name: string, path: string): Conflict {
  return new Conflict(
    `The name ${name} is taken by ${path}. Give another \`name\`; or replace that model by moving the new files over its own, which become its next version; or remove them, and register again.`,
  )
}

function progressOf(found: FoundModel): Progress {
  const totalBytes = found.files.reduce((sum, file) => sum + file.sizeBytes, 0)
  return { bytes: totalBytes, totalBytes }
}

function nothingAt(path: string): SeenFiles {
  return new Map(pathsOf(path, null).map((each) => [each, null]))
}
