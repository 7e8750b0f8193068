/**
 * A process that only submits, saves and ends jobs, to be killed: `node store-process.ts FOLDER`. It writes a line for everything that others may
 * rely on, in the moment it may be relied on: `accepted JOB`, `ended JOB`, `shown SEQUENCE JOB KIND`.
 */
import type { DeviceId } from '../../src/scheduler/ids.ts'
import { createEventLog } from '../../src/store/job-events.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { ArtifactId, JobRecord, TaskRecord } from '../../src/store/records.ts'
import { artifactRecord } from './artifacts.ts'
import { storedJobs } from './stored-jobs.ts'

const outstanding = 16
const deviceId = 1 as DeviceId

const store = await openStore({ folder: process.argv[2] ?? '' })
const log = createEventLog({ store, now: Date.now })
const jobs = await storedJobs(store)
let nextArtifactId = store.opening.nextArtifactId
say(`recovered ${store.opening.unfinished.length}`)
for (const { record, tasks } of store.opening.unfinished) {
  log.adopt(record)
  void finish(record, tasks)
}
await Promise.all(Array.from({ length: outstanding }, submitForEver))

async function submitForEver(): Promise<never> {
  for (;;) {
    const unit = jobs.many(3)
    log.submitted(await store.submitJobs(unit))
    for (const { record } of unit) say(`accepted ${record.id}`)
    for (const { record } of unit) void show(record)
    await Promise.all(unit.map(({ record, tasks }) => finish(record, tasks)))
  }
}

async function finish(record: JobRecord, [task]: readonly TaskRecord[]): Promise<void> {
  void log.changeState(record, { kind: 'started', deviceId }, 'RUNNING', { attempt: record.attempt + 1 })
  log.text(record, 0, 'some text')
  if (task) {
    const artifact = artifactRecord({ id: nextArtifactId++ as ArtifactId, jobId: record.id })
    log.preview(record, task.item, 1, artifact, () => {})
    const saved = Buffer.alloc(1000, record.id)
    void store.saveCheckpoint({ taskId: task.id, jobId: record.id, step: 1, saved, savedAt: Date.now() })
  }
  await new Promise((resolve) => setImmediate(resolve))
  await log.changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', {}, Buffer.from('output'))
  say(`ended ${record.id}`)
}

async function show({ id }: JobRecord): Promise<void> {
  for await (const { sequence, body } of log.events(id, null)) say(`shown ${sequence} ${id} ${body.kind}`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
