/** Whether a change of a job is one that a reader of `jobChanges` asked for. */
import type { JobEvent, JobRecord } from '../store/records.ts'
import type { JobFilter } from '../store/store.ts'

/** `states` matches from or to. */
export function matchesFilter(filter: JobFilter, job: JobRecord, change: JobEvent): boolean {
  const { sessionId, states, class: priorityClass, modelId, taskKind, createdAfter, createdBefore } = filter
  return (
    (sessionId === undefined || job.sessionId === sessionId) &&
    (states === undefined || states.some((state) => state === change.from || state === change.to)) &&
    (priorityClass === undefined || job.class === priorityClass) &&
    (modelId === undefined || job.modelId === modelId) &&
    (taskKind === undefined || job.taskKind === taskKind) &&
    (createdAfter === undefined || job.createdAt > createdAfter) &&
    (createdBefore === undefined || job.createdAt < createdBefore)
  )
}
