/** Rows as the threads send them, made into the records of `records.ts`. */

import type { Decision } from '../scheduler/explain/decisions.ts'
import type { Score } from '../scheduler/explain/scores.ts'
import type { DeviceId, VersionId } from '../scheduler/ids.ts'
import type {
  AllocationRow,
  ArtifactRow,
  CheckpointRow,
  ComponentRow,
  DecisionRow,
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
  AllocationRecord,
  ArtifactRecord,
  CheckpointRecord,
  ClosedAllocation,
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

export function decisionRow(decision: Decision): DecisionRow {
  const { sequence, at, kind, reason, jobId, versionId, deviceId, workerId, forVersionId, amount, scheme } = decision
  const scores = decision.scores.map((score): ScoreRow => [score.deviceId, score.versionId, score.parts])
  const json = scores.length === 0 ? null : JSON.stringify(scores)
  return [sequence, at, kind, reason, jobId, versionId, deviceId, workerId, forVersionId, amount, scheme, json]
}

export function decisionOf(row: DecisionRow): Decision {
  const scores: ScoreRow[] = row[11] === null ? [] : JSON.parse(row[11])
  return {
    sequence: row[0],
    at: row[1],
    kind: row[2],
    reason: row[3],
    jobId: row[4],
    versionId: row[5],
    deviceId: row[6],
    workerId: row[7],
    forVersionId: row[8],
    amount: row[9],
    scheme: row[10],
    scores: scores.map(([deviceId, versionId, parts]): Score => ({ deviceId, versionId, parts })),
  }
}
type ScoreRow = readonly [DeviceId | null, VersionId | null, readonly number[]]

export function allocationRow(allocation: ClosedAllocation): AllocationRow {
  const { allocationId, deviceId, purpose, state, predictedBytes, sizeBytes, measuredBytes } = allocation
  const { workerId, residencyId, jobId, createdAt, releasedAt } = allocation
  return [
    allocationId,
    deviceId,
    purpose,
    state,
    predictedBytes,
    sizeBytes,
    measuredBytes,
    workerId,
    residencyId,
    jobId,
    createdAt,
    releasedAt,
  ]
}

export function allocationOf(row: AllocationRow): AllocationRecord {
  return {
    allocationId: row[0],
    deviceId: row[1],
    purpose: row[2],
    state: row[3],
    predictedBytes: row[4],
    sizeBytes: row[5],
    measuredBytes: row[6],
    workerId: row[7],
    residencyId: row[8],
    jobId: row[9],
    createdAt: row[10],
    releasedAt: row[11],
  }
}
