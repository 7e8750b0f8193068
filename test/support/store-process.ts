/**
 * A process that only submits and ends jobs, to be killed: `node store-process.ts FOLDER`. It writes a line for everything that others may
 * rely on, in the moment it may be relied on: `accepted JOB`, `ended JOB`, `shown SEQUENCE JOB KIND`.
 */
import type { DeviceId } from '../../src/scheduler/ids.ts'
import { createEventLog } from '../../src/store/job-events.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { JobRecord } from '../../src/store/records.ts'
import { storedJobs } from './stored-jobs.ts'

const outstanding = 16
const deviceId = 1 as DeviceId

const store = await openStore({ folder: process.argv[2] ?? '' })
const log = createEventLog({ store, now: Date.now })
const jobs = await storedJobs(store)
say(`recovered ${store.opening.unfinished.length}`)
for (const { record } of store.opening.unfinished) {
  log.adopt(record)
  void finish(record)
}
await Promise.all(Array.from({ length: outstanding }, submitForEver))

async function submitForEver(): Promise<never> {
  for (;;) {
    const unit = jobs.many(3)
    log.submitted(await store.submitJobs(unit))
    for (const { record } of unit) say(`accepted ${record.id}`)
    for (const { record } of unit) void show(record)
    await Promise.all(unit.map(({ record }) => finish(record)))
  }
}

async function finish(record: JobRecord): Promise<void> {
  void log.changeState(record, { kind: 'started', deviceId }, 'RUNNING', { attempt: record.attempt + 1 })
  log.text(record, 0, 'some text')
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
