/**
 * Reads by id that are batched within a tick, so that a page of 100 jobs of two models reads two models. Nothing is cached
 * beyond the tick: a subscription lives for hours in one context and must see every change.
 */
import DataLoader from 'dataloader'
import type { App } from '../src/app/app.ts'
import type { JobId, SessionId, VersionId } from '../src/scheduler/ids.ts'
import type { JobRecord, ModelId, ModelRecord, SessionRecord, VersionRecord } from '../src/store/records.ts'

export interface Loaders {
  readonly job: DataLoader<JobId, JobRecord | null>
  readonly session: DataLoader<SessionId, SessionRecord | null>
  readonly model: DataLoader<ModelId, ModelRecord | null>
  readonly version: DataLoader<VersionId, VersionRecord | null>
}

export function createLoaders(app: App): Loaders {
  return {
    job: readOnce((id) => app.job(id)),
    session: readOnce((id) => app.session(id)),
    model: readOnce((id) => app.modelById(id)),
    version: readOnce((id) => app.version(id)),
  }
}

function readOnce<Id, Row>(read: (id: Id) => Promise<Row | null>): DataLoader<Id, Row | null> {
  const readDistinct = async (ids: readonly Id[]): Promise<(Row | null)[]> => {
    const reads = new Map<Id, Promise<Row | null>>()
    for (const id of ids) if (!reads.has(id)) reads.set(id, read(id))
    return Promise.all(ids.map((id) => reads.get(id) ?? null))
  }
  return new DataLoader(readDistinct, { cache: false })
}

/** A row that another row refers to always exists; its absence is a fault of ours. */
export function required<Row>(what: string, row: Row | null): Row {
  if (row === null) throw new Error(`${what} is missing though another row refers to it.`)
  return row
}
