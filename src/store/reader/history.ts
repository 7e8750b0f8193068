/** The reading half of the Store: each question asked in the reader's thread, each answer made into records. */
import type { TaskId } from '../../scheduler/ids.ts'
import type { EventRow } from '../columns.ts'
import type { CheckpointRecord, JobEvent } from '../records.ts'
import {
  allocationOf,
  artifactOf,
  checkpointOf,
  componentOf,
  decisionOf,
  deviceOf,
  eventOf,
  jobOf,
  modelOf,
  registrationOf,
  sessionOf,
  taskOf,
  versionOf,
} from '../rows.ts'
import { CursorExpired, type Store } from '../store.ts'
import type { ReaderClient } from './reader-client.ts'

export type History = Pick<Store, Extract<keyof Store, `read${string}` | `count${string}`>>

/** `waitingCheckpoint`: the task's newest, as long as it is not committed. */
export function historyOf(
  reader: ReaderClient,
  waitingCheckpoint: (taskId: TaskId) => CheckpointRecord | null,
): History {
  return {
    readJob: (id) => reader.ask('job', id).then(orNull(jobOf)),
    readJobByKey: (key) => reader.ask('jobByKey', key).then(orNull(jobOf)),
    readJobs: (filter, page) => reader.ask('jobs', filter, page).then(each(jobOf)),
    countJobs: (filter) => reader.ask('countJobs', filter),
    readTasks: (jobId) => reader.ask('tasks', jobId).then(each(taskOf)),
    readCheckpoint: async (taskId) =>
      waitingCheckpoint(taskId) ?? reader.ask('checkpoint', taskId).then(orNull(checkpointOf)),
    readFingerprint: (id) => reader.ask('fingerprint', id),
    readRequest: (id) => reader.ask('request', id),
    readOutput: (id) => reader.ask('output', id),

    readEvents: (jobId, afterSequence, limit) => reader.ask('events', jobId, afterSequence, limit).then(events),
    readEventPage: (jobId, first, beforeSequence) => reader.ask('eventPage', jobId, first, beforeSequence).then(events),
    countEvents: (jobId) => reader.ask('countEvents', jobId),
    readChanges: async (afterSequence, limit) => {
      const rows = await reader.ask('changes', afterSequence, limit)
      if (rows === null) throw new CursorExpired()
      return events(rows)
    },

    readSession: (id) => reader.ask('session', id).then(orNull(sessionOf)),
    readSessions: (filter, page) => reader.ask('sessions', filter, page).then(each(sessionOf)),
    countSessions: (filter) => reader.ask('countSessions', filter),

    readModel: (id) => reader.ask('model', id).then(orNull(modelOf)),
    readModels: (filter) => reader.ask('models', filter).then(each(modelOf)),
    readVersion: (id) => reader.ask('version', id).then(orNull(versionOf)),
    readVersions: (modelId, page) => reader.ask('versions', modelId, page).then(each(versionOf)),
    countVersions: (modelId) => reader.ask('countVersions', modelId),
    readComponents: (versionId) => reader.ask('components', versionId).then(each(componentOf)),
    readComponent: (id) => reader.ask('component', id).then(orNull(componentOf)),
    readDevice: (id) => reader.ask('device', id).then(orNull(deviceOf)),

    readArtifact: (id) => reader.ask('artifact', id).then(orNull(artifactOf)),
    readArtifactsOfJob: (jobId) => reader.ask('artifactsOfJob', jobId).then(each(artifactOf)),
    readInputsOfJob: (jobId) => reader.ask('inputsOfJob', jobId).then(each(artifactOf)),
    readDecision: (sequence) => reader.ask('decision', sequence).then(orNull(decisionOf)),
    readDecisions: (filter, page) => reader.ask('decisions', filter, page).then(each(decisionOf)),
    countDecisions: (filter, beforeSequence) => reader.ask('countDecisions', filter, beforeSequence),
    readAllocation: (id) => reader.ask('allocation', id).then(orNull(allocationOf)),
    readAllocations: (filter, page) => reader.ask('allocations', filter, page).then(each(allocationOf)),
    countAllocations: (filter) => reader.ask('countAllocations', filter),
    readRegistrations: () => reader.ask('registrations').then(each(registrationOf)),
  }
}

function orNull<Row, Item>(make: (row: Row) => Item): (row: Row | null) => Item | null {
  return (row) => (row === null ? null : make(row))
}

function each<Row, Item>(make: (row: Row) => Item): (rows: readonly Row[]) => Item[] {
  return (rows) => rows.map(make)
}

function events(rows: readonly EventRow[]): JobEvent[] {
  return rows.map(eventOf)
}
