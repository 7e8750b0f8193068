/** Devices, and models with their versions and components: found by name or digest, else inserted; ids stay for ever. */
import type { ComponentId, DeviceId, Millis, VersionId } from '../../scheduler/ids.ts'
import type { Connection } from '../opening/connection.ts'
import type { ComponentRecord, ModelId, ModelRecord, VersionRecord } from '../records.ts'
import type { MessageReader, Primitive } from './message-values.ts'

export type NewModel = Omit<ModelRecord, 'id'>
export type NewVersion = Omit<VersionRecord, 'id' | 'modelId'>
export type NewComponent = Omit<ComponentRecord, 'id' | 'versionId'>

export interface VersionIds {
  readonly modelId: ModelId
  readonly versionId: VersionId
  readonly registeredAt: Millis
  readonly componentIds: readonly ComponentId[]
}

export function encodeVersion(
  values: Primitive[],
  model: NewModel,
  version: NewVersion,
  components: readonly NewComponent[],
  provisional: VersionId | null,
): void {
  const { sha256, state, license, manifest, directory, sizeBytes, peakBytes, registeredAt } = version
  values.push(
    provisional,
    model.name,
    model.task,
    sha256,
    state,
    license,
    manifest,
    directory,
    sizeBytes,
    peakBytes,
    registeredAt,
    components.length,
  )
  for (const component of components) {
    values.push(
      component.name,
      component.format,
      component.sizeBytes,
      component.sha256,
      JSON.stringify(component.dependsOn),
    )
  }
}

export function prepareRegisterVersion(database: Connection): (input: MessageReader) => VersionIds {
  const model = database
    .prepare<Primitive[], ModelId>(
      'INSERT INTO models (name, task) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET task = excluded.task RETURNING id',
    )
    .pluck()
  const version = database
    .prepare<Primitive[], [VersionId, Millis]>(
      `INSERT INTO model_versions (model_id, sha256, state, license, manifest, directory, size_bytes, peak_bytes, registered_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (model_id, sha256) DO UPDATE SET state = excluded.state, license = excluded.license, manifest = excluded.manifest,
         directory = excluded.directory, size_bytes = excluded.size_bytes, peak_bytes = excluded.peak_bytes
       RETURNING id, registered_at`,
    )
    .raw()
  const component = database
    .prepare<Primitive[], ComponentId>(
      `INSERT INTO components (version_id, name, format, size_bytes, sha256, depends_on) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (version_id, name) DO UPDATE SET format = excluded.format, size_bytes = excluded.size_bytes,
         sha256 = excluded.sha256, depends_on = excluded.depends_on
       RETURNING id`,
    )
    .pluck()
  const settle = prepareSettleVersion(database)
  return (input) => {
    const provisional = input.take(1)[0] ?? null
    const modelId = found(model.get(...input.take(2)))
    const described = input.take(8)
    if (provisional !== null) settle(provisional, described[0] ?? null)
    const [versionId, registeredAt] = found(version.get(modelId, ...described))
    const componentIds = Array.from({ length: input.number() }, () => found(component.get(versionId, ...input.take(5))))
    return { modelId, versionId, registeredAt, componentIds }
  }
}

/** Nothing but its components refers to a VERIFYING version: no job can be submitted to it. */
function prepareSettleVersion(database: Connection): (id: Primitive, sha256: Primitive) => void {
  const rename = database.prepare<Primitive[]>(
    "UPDATE OR IGNORE model_versions SET sha256 = ? WHERE id = ? AND state = 'VERIFYING'",
  )
  const isLeft = "version_id IN (SELECT id FROM model_versions WHERE id = ? AND sha256 <> ? AND state = 'VERIFYING')"
  const dropComponents = database.prepare<Primitive[]>(`DELETE FROM components WHERE ${isLeft}`)
  const drop = database.prepare<Primitive[]>(
    "DELETE FROM model_versions WHERE id = ? AND sha256 <> ? AND state = 'VERIFYING'",
  )
  return (id, sha256) => {
    rename.run(sha256, id)
    dropComponents.run(id, sha256)
    drop.run(id, sha256)
  }
}

/** What a server that was killed had not read to the end: it is read anew, under a new row. */
export function dropUnverified(database: Connection): void {
  database.exec(
    `DELETE FROM components WHERE version_id IN (SELECT id FROM model_versions WHERE state = 'VERIFYING');
     DELETE FROM model_versions WHERE state = 'VERIFYING'`,
  )
}

export function prepareRegisterDevice(database: Connection): (input: MessageReader) => DeviceId {
  const device = database
    .prepare<Primitive[], DeviceId>(
      'INSERT INTO devices (name, kind) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind RETURNING id',
    )
    .pluck()
  return (input) => found(device.get(...input.take(2)))
}

function found<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new Error('RETURNING returned no row.')
  return row
}
