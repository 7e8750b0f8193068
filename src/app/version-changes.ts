/** Which version of a model is the current one: new contents come, others go, and everybody who has to know is told. */
import type { Millis, VersionId } from '../scheduler/ids.ts'
import type { ModelRecord } from '../store/records.ts'
import { type Catalogue, type CatalogueEntry, shortDigest } from './catalogue.ts'
import type { Clock } from './clock.ts'
import type { LiveJobs } from './live-jobs.ts'
import type { Logger } from './logger.ts'
import type { ModelEvents } from './model-events.ts'
import type { Shell } from './shell.ts'
import type { WantedModels } from './wanted-models.ts'

export interface VersionChangesParts {
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly shell: Shell
  readonly models: ModelEvents
  readonly live: LiveJobs
  readonly wanted: WantedModels
  readonly pins: WantedModels
  readonly logger: Logger
}

/** Versions that cannot run and that a model keeps in memory though nothing refers to them. */
const unrunnableKept = 4

export class VersionChanges {
  readonly #parts: VersionChangesParts
  /** Versions that may be resident though they can never be loaded again, and since when. */
  readonly #retired = new Map<VersionId, Millis>()

  constructor(parts: VersionChangesParts) {
    this.#parts = parts
  }

  /** The content at a model's place is this version from now on; `before`: the one that it was. Whether it can run, and could not before. */
  adopt(entry: CatalogueEntry, before: VersionId | null): boolean {
    const { catalogue, shell, models, wanted, pins, clock, logger } = this.#parts
    const { id } = entry.version
    const wasRunnable = (catalogue.version(id)?.spec ?? null) !== null
    if (before !== null && before !== id)
      this.retire(
        before,
        `Its files have been replaced; the model's version is ${shortDigest(entry.version.sha256)} now.`,
      )
    catalogue.add(entry)
    // Whoever wanted the model loaded wants it as it is now; if that cannot be loaded, as it will be when it can.
    if (before !== null) for (const wishes of [wanted, pins]) wishes.passOn(before, id)
    if (entry.spec === null) {
      logger.warn({ directory: entry.version.directory, problem: entry.problem }, 'model refused')
      if (wasRunnable) this.#suspend(id)
      return false
    }
    this.#retired.delete(id)
    if (wasRunnable) return false
    shell.feed({ type: 'versionRegistered', version: entry.spec })
    models.registered(entry.model.id, id, clock.now())
    return true
  }

  /** Once more, for whoever asked to have it loaded and was not told that this is over. */
  loadWanted(id: VersionId): void {
    const { wanted, pins, shell } = this.#parts
    for (const { versionId, deviceId } of pins.all())
      if (versionId === id && (deviceId === null || shell.hasDevice(deviceId)))
        shell.feed({ type: 'pinRequested', versionId, deviceId, pinned: true })
    for (const { versionId, deviceId } of wanted.all())
      if (versionId === id && (deviceId === null || shell.hasDevice(deviceId)))
        shell.feed({ type: 'loadRequested', versionId, deviceId })
  }

  /** The version cannot be loaded any more: what is resident ends its work, and its history stays. */
  retire(versionId: VersionId, problem: string): void {
    const { catalogue, logger } = this.#parts
    const entry = catalogue.version(versionId)
    if (!entry || entry.version.state === 'REMOVED') return
    catalogue.update({ ...entry, spec: null, problem, version: { ...entry.version, state: 'REMOVED' } })
    logger.info({ model: entry.model.name, version: shortDigest(entry.version.sha256), problem }, 'version removed')
    if (entry.spec !== null) this.#suspend(versionId)
    this.forgetOld(entry.model)
  }

  #suspend(versionId: VersionId): void {
    const { clock, shell, pins } = this.#parts
    this.#retired.set(versionId, clock.now())
    shell.feed({ type: 'versionReplaced', versionId })
    // What is pinned is the model as it will be loaded next.
    if (pins.all().some((pin) => pin.versionId === versionId))
      shell.feed({ type: 'pinRequested', versionId, deviceId: null, pinned: false })
  }

  /** What has been retired for `forMs` and has no jobs left is unloaded: nothing comes for it any more, and its worker keeps files open that are deleted. */
  letGo(forMs: Millis): void {
    const { shell, clock } = this.#parts
    const due = [...this.#retired].filter(([, since]) => clock.now() - since >= forMs)
    if (due.length === 0) return
    const inUse = this.#inUse()
    for (const [versionId] of due.filter(([id]) => !inUse.has(id))) {
      this.#retired.delete(versionId)
      shell.feed({ type: 'unloadRequested', versionId, deviceId: null })
    }
  }

  /** Versions that cannot run do not add up, however often files change. */
  forgetOld({ id, name }: ModelRecord): void {
    const { catalogue, models } = this.#parts
    const current = catalogue.resolve(name)
    const unrunnable = catalogue
      .ofModel(id)
      .filter((entry) => entry !== current && entry.spec === null && entry.version.state !== 'VERIFYING')
    if (unrunnable.length <= unrunnableKept) return
    const inUse = this.#inUse()
    for (const { version } of unrunnable.slice(0, -unrunnableKept))
      if (!inUse.has(version.id) && models.residencies({ versionId: version.id }).length === 0)
        catalogue.remove(version.id)
  }

  /** By jobs that have not ended. */
  #inUse(): Set<VersionId> {
    const { live } = this.#parts
    const jobs = [...live.ids()].map((id) => live.get(id))
    return new Set(jobs.flatMap((job) => job?.record.versionId ?? []))
  }
}
