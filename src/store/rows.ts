/** Rows as the threads send them, made into the records of `records.ts`. */
import type {
  ArtifactRow,
  CheckpointRow,
  ComponentRow,
  DeviceRow,
  EventRow,
  JobRow,
  ModelRow,
  RegistrationRow,
  SessionRow,
  TaskRow,
  VersionRow,
} from './columns.ts'
import type {
  ArtifactRecord,
  CheckpointRecord,
  ComponentRecord,
  DeviceRecord,
  JobEvent,
  JobEventBody,
  JobRecord,
  ModelRecord,
  RegistrationRecord,
  SessionRecord,
  TaskRecord,
  VersionRecord,
} from './records.ts'

export function jobOf(row: JobRow): JobRecord {
  return {
    id: row[0],
    taskKind: row[1],
    modelId: row[2],
    versionId: row[3],
    sessionId: row[4],
    class: row[5],
    idempotencyKey: row[6],
    retryOf: row[7],
    createdAt: row[8],
    deadlineAt: row[9],
    state: row[10],
    attempt: row[11],
    failedAttempts: row[12],
    deathsAlone: row[13],
    cancelRequestedAt: row[14],
    pauseRequestedAt: row[15],
    pauseCause: row[16],
    pausedAt: row[17],
    pausedMs: row[18],
    pausedWaitingMs: row[19],
    deviceId: row[20],
    loadingAt: row[21],
    startedAt: row[22],
    firstPartialAt: row[23],
    postprocessingAt: row[24],
    finishedAt: row[25],
    progressDone: row[26],
    progressTotal: row[27],
    progressUnit: row[28],
    failure: row[29] === null ? null : (JSON.parse(row[29]) as JobRecord['failure']),
  }
}

export function taskOf([id, jobId, node, program, components, after, item, stage, isHeld]: TaskRow): TaskRecord {
  return {
    id,
    jobId,
    node,
    program,
    components: JSON.parse(components) as TaskRecord['components'],
    after: JSON.parse(after) as TaskRecord['after'],
    item,
    stage,
    isHeld: isHeld === 1,
  }
}

export function checkpointOf([taskId, jobId, step, savedAt, saved]: CheckpointRow): CheckpointRecord {
  return { taskId, jobId, step, savedAt, saved }
}

export function eventOf([sequence, jobId, attempt, kind, at, from, to, data]: EventRow): JobEvent {
  const rest: unknown = data === null ? null : JSON.parse(data)
  const body = { kind, ...(rest as object | null) } as JobEventBody
  return { sequence, jobId, attempt, at, from, to, body }
}

/** The column `data` of an event: what its kind does not say already. */
export function dataOf(body: JobEventBody): string | null {
  if (body.kind === 'queued' || body.kind === 'postprocessing' || body.kind === 'succeeded') return null
  const rest = { ...body, kind: undefined }
  try {
    return JSON.stringify(rest)
  } catch {
    // A program may give integers that JSON has no word for; digits are what a reader can use.
    return JSON.stringify(rest, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  }
}

export function sessionOf(row: SessionRow): SessionRecord {
  const [id, name, priorityClass, weight, modelId, idleTimeoutSeconds, createdAt, lastUsedAt, closedAt] = row
  return { id, name, class: priorityClass, weight, modelId, idleTimeoutSeconds, createdAt, lastUsedAt, closedAt }
}

export function modelOf([id, name, task]: ModelRow): ModelRecord {
  return { id, name, task }
}

export function versionOf(row: VersionRow): VersionRecord {
  const [id, modelId, sha256, state, license, manifest, directory, sizeBytes, peakBytes, registeredAt] = row
  return { id, modelId, sha256, state, license, manifest, directory, sizeBytes, peakBytes, registeredAt }
}

export function componentOf(row: ComponentRow): ComponentRecord {
  const [id, versionId, name, format, sizeBytes, sha256, dependsOn] = row
  const names = JSON.parse(dependsOn) as readonly string[]
  return { id, versionId, name, format, sizeBytes, sha256, dependsOn: names }
}

export function deviceOf([id, name, kind]: DeviceRow): DeviceRecord {
  return { id, name, kind }
}

export function artifactOf(row: ArtifactRow): ArtifactRecord {
  const [id, sha256, mimeType, sizeBytes, width, height, jobId, createdAt] = row
  return { id, sha256, mimeType, sizeBytes, width, height, jobId, createdAt }
}

export function registrationOf([name, path, task, registeredAt]: RegistrationRow): RegistrationRecord {
  return { name, path, task, registeredAt }
}
