/** One job's log as a reader sees it. A job that memory does not know has ended, and its events are all in the store. */
import type { JobId } from '../../scheduler/ids.ts'
import { isTerminal, type JobEvent } from '../records.ts'
import type { Store } from '../store.ts'
import type { EventSource } from './event-reader.ts'
import type { JobLog } from './job-log.ts'

const pageEvents = 256

export function jobSource(jobId: JobId, find: () => JobLog | undefined, store: Store): EventSource {
  return {
    look(cursor) {
      const job = find()
      if (!job || cursor < job.evictedThrough) return 'older'
      const event = job.after(cursor)
      if (event) return event
      return job.hasEnded ? 'end' : job.waiters
    },
    async readOlder(cursor) {
      const page = await store.readEvents(jobId, cursor, pageEvents)
      const job = find()
      // What is committed may be a moment ahead of what has been published.
      return job ? page.filter(({ sequence }) => sequence <= job.visibleThrough) : page
    },
    whereMemoryBegins: () => find()?.evictedThrough ?? null,
    // Retention, or the end of its job, may have removed the picture since the event came into memory.
    isGone: ({ body }) =>
      body.kind === 'preview' && store.readArtifact(body.artifactId).then((artifact) => artifact === null),
    isLast: isFinal,
  }
}

function isFinal({ to }: JobEvent): boolean {
  return to !== null && isTerminal(to)
}
