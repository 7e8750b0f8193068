/**
 * Reads by id that are batched within a tick, so that a page of 100 jobs of two models reads two models. Nothing is cached
 * beyond the tick: a subscription lives for hours in one context and must see every change.
 */
import DataLoader from 'dataloader'
import type { App, DeviceView, JobOutput } from '../src/app/app.ts'
import type { DeviceId, JobId, SessionId, VersionId } from '../src/scheduler/ids.ts'
import type {
  ArtifactId,
  ArtifactRecord,
  JobRecord,
  ModelId,
  ModelRecord,
  SessionRecord,
  VersionRecord,
} from '../src/store/records.ts'

type Loader<Id, Row> = DataLoader<Id, Row | null>

/** Each loader is made when first used: most mutations need none. */
export class Loaders {
  readonly #app: App
  #job: Loader<JobId, JobRecord> | undefined
  #session: Loader<SessionId, SessionRecord> | undefined
  #model: Loader<ModelId, ModelRecord> | undefined
  #version: Loader<VersionId, VersionRecord> | undefined
  #device: Loader<DeviceId, DeviceView> | undefined
  #artifact: Loader<ArtifactId, ArtifactRecord> | undefined
  #request: Loader<JobId, unknown> | undefined
  #output: Loader<JobRecord, JobOutput> | undefined

  constructor(app: App) {
    this.#app = app
  }

  get job(): Loader<JobId, JobRecord> {
    this.#job ??= loaderOf((id) => this.#app.job(id))
    return this.#job
  }
  get session(): Loader<SessionId, SessionRecord> {
    this.#session ??= loaderOf((id) => this.#app.session(id))
    return this.#session
  }
  get model(): Loader<ModelId, ModelRecord> {
    this.#model ??= loaderOf((id) => this.#app.modelById(id))
    return this.#model
  }
  get version(): Loader<VersionId, VersionRecord> {
    this.#version ??= loaderOf((id) => this.#app.version(id))
    return this.#version
  }
  get device(): Loader<DeviceId, DeviceView> {
    this.#device ??= loaderOf((id) => this.#app.deviceById(id))
    return this.#device
  }
  /** Null also for what retention has removed. */
  get artifact(): Loader<ArtifactId, ArtifactRecord> {
    this.#artifact ??= loaderOf((id) => this.#app.artifact(id))
    return this.#artifact
  }
  get request(): Loader<JobId, unknown> {
    this.#request ??= loaderOf((id) => this.#app.jobRequest(id))
    return this.#request
  }
  get output(): Loader<JobRecord, JobOutput> {
    this.#output ??= loaderOf((job) => this.#app.jobOutput(job))
    return this.#output
  }
}

function loaderOf<Id, Row>(read: (id: Id) => Promise<Row | null>): Loader<Id, Row> {
  const readDistinct = async (ids: readonly Id[]): Promise<(Row | null)[]> => {
    const distinct = [...new Set(ids)]
    const rows = await Promise.all(distinct.map(read))
    const found = new Map(distinct.map((id, index) => [id, rows[index] ?? null]))
    return ids.map((id) => found.get(id) ?? null)
  }
  return new DataLoader(readDistinct, { cache: false })
}

/** A row that another row refers to always exists; its absence is a fault of ours. */
export function required<Row>(what: string, row: Row | null): Row {
  if (row === null) throw new Error(`${what} is missing though another row refers to it.`)
  return row
}
