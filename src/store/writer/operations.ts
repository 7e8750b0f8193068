/** Every kind of write: its code on the way to the thread, and what prepares its statements there. */
import type { Connection } from '../opening/connection.ts'
import { prepareFindUnusedContents, prepareInsertUpload } from './artifacts.ts'
import { prepareSaveCheckpoints } from './checkpoints.ts'
import { prepareRecordHistory, prepareRetainHistory } from './history.ts'
import { preparePatchJob, prepareRecordEvent } from './job-events.ts'
import type { MessageReader } from './message-values.ts'
import { prepareRegisterDevice, prepareRegisterVersion } from './models.ts'
import { prepareWithdrawPreviews } from './previews.ts'
import { prepareSaveRegistration } from './registrations.ts'
import { prepareRetainArtifacts, prepareRetainJobs, prepareVacuum } from './retention.ts'
import { prepareInsertSession, prepareUpdateSession } from './sessions.ts'
import { prepareSubmitJobs } from './submit-jobs.ts'

export const operationCodes = {
  submitJobs: 1,
  recordEvent: 2,
  patchJob: 3,
  insertSession: 4,
  updateSession: 5,
  registerDevice: 6,
  registerVersion: 7,
  saveSnapshot: 8,
  reserveSequences: 9,
  insertUpload: 10,
  findUnusedContents: 11,
  saveRegistration: 12,
  retainJobs: 13,
  retainArtifacts: 14,
  vacuum: 15,
  saveCheckpoints: 16,
  withdrawPreviews: 17,
  recordHistory: 18,
  retainHistory: 19,
} as const
export type OperationName = keyof typeof operationCodes

/** Applies one operation, reading its values; what it returns goes back to whoever asked. Undefined is what most return, and costs nothing. */
export type Operation = (input: MessageReader) => unknown

/** By code. */
export function prepareOperations(database: Connection): ReadonlyMap<number, Operation> {
  const patchJob = preparePatchJob(database)
  const saveSnapshot = database.prepare<unknown[]>(
    'INSERT OR REPLACE INTO scheduler_snapshots (id, saved_at, snapshot) VALUES (1, ?, ?)',
  )
  const reserve = database.prepare<unknown[]>("UPDATE sequence_blocks SET reserved = ? WHERE name = 'event'")
  const operations: Record<OperationName, Operation> = {
    submitJobs: prepareSubmitJobs(database),
    recordEvent: prepareRecordEvent(database, patchJob),
    patchJob,
    insertSession: prepareInsertSession(database),
    updateSession: prepareUpdateSession(database),
    registerDevice: prepareRegisterDevice(database),
    registerVersion: prepareRegisterVersion(database),
    saveSnapshot: (input) => void saveSnapshot.run(...input.take(2)),
    reserveSequences: (input) => void reserve.run(input.number()),
    insertUpload: prepareInsertUpload(database),
    findUnusedContents: prepareFindUnusedContents(database),
    saveRegistration: prepareSaveRegistration(database),
    retainJobs: prepareRetainJobs(database),
    retainArtifacts: prepareRetainArtifacts(database),
    vacuum: prepareVacuum(database),
    saveCheckpoints: prepareSaveCheckpoints(database),
    withdrawPreviews: prepareWithdrawPreviews(database),
    recordHistory: prepareRecordHistory(database),
    retainHistory: prepareRetainHistory(database),
  }
  return new Map(
    Object.entries(operations).map(([name, operation]) => [operationCodes[name as OperationName], operation]),
  )
}
