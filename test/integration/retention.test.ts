/** Rounds of tidying up over a real store and real files: what goes, and what must stay though it looks as if nobody needed it. */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ArtifactUrls } from '../../src/app/artifact-urls.ts'
import { Artifacts } from '../../src/app/artifacts.ts'
import { Ids } from '../../src/app/ids.ts'
import { LiveJobs } from '../../src/app/live-jobs.ts'
import { type RetentionContext, tidyUp } from '../../src/app/retention.ts'
import { ArtifactFiles } from '../../src/runtime/artifacts/artifact-files.ts'
import type { DeviceId } from '../../src/scheduler/ids.ts'
import type { ArtifactRecord, NewJob } from '../../src/store/records.ts'
import { filesIn, pieces } from '../support/artifacts.ts'
import { type TestStore, testStore } from '../support/stores.ts'
import { until } from '../support/until.ts'

const dayMs = 86_400_000
const now = 100 * dayMs
const forever = new AbortController().signal
const limits = {
  HEARTH_JOB_RETENTION_DAYS: 30,
  HEARTH_DATABASE_LIMIT_BYTES: 1e12,
  HEARTH_ARTIFACT_RETENTION_DAYS: 7,
  HEARTH_ARTIFACT_LIMIT_BYTES: 1e12,
  HEARTH_HISTORY_DAYS: 30,
  HEARTH_HISTORY_ROWS: 1000,
  HEARTH_RETENTION_INTERVAL_MS: 100,
}

interface Kept extends RetentionContext {
  readonly open: TestStore
  readonly artifacts: Artifacts
  readonly folder: string
}

async function keep(settings: Partial<typeof limits> = {}): Promise<Kept> {
  const open = await testStore()
  const folder = join(open.folder, 'artifacts')
  const clock = { now: () => now }
  const artifacts = new Artifacts({
    files: await ArtifactFiles.open(folder),
    urls: new ArtifactUrls(Buffer.alloc(32), 1000, () => ''),
    store: open.store,
    ids: new Ids(open.store.opening),
    clock,
    sizeBytesMax: 1_000_000,
    freeBytesMin: 0,
  })
  onTestFinished(() => artifacts.close())
  await artifacts.files.sweep((contents) => open.store.findUnusedContents(contents))
  const config = { ...limits, ...settings }
  return { open, folder, artifacts, clock, config, store: open.store, live: new LiveJobs(10) }
}

/** As a job ends: its files first, then its row with theirs, then they are let go. */
async function finish({ open, artifacts }: Kept, { record }: NewJob, files: readonly ArtifactRecord[], at = now) {
  await open.log.changeState(record, { kind: 'started', deviceId: 1 as DeviceId }, 'RUNNING', { attempt: 1 })
  return end({ open, artifacts }, record, files, at)
}

function end(
  { open, artifacts }: Pick<Kept, 'open' | 'artifacts'>,
  record: NewJob['record'],
  files: readonly ArtifactRecord[],
  at: number,
): Promise<void> {
  return open.log
    .changeState(record, { kind: 'succeeded' }, 'SUCCEEDED', { finishedAt: at }, Buffer.from('output'), files)
    .then(() => artifacts.committed(files))
}

/** Uploaded at a time, as `takeUpload` does it. */
async function upload({ open, artifacts }: Kept, content: string, createdAt: number): Promise<ArtifactRecord> {
  const stored = await artifacts.files.put(pieces(content), { sizeBytesMax: 1_000_000 })
  const record = { ...artifacts.record(stored, 'text/plain', null, null, null), createdAt }
  const written = await open.store.insertArtifact(record)
  artifacts.committed([record])
  return written
}

test('what a job has made goes with it, and its file with the last that has its content', async () => {
  const kept = await keep()
  const { open, artifacts, folder, live } = kept
  const [old, young] = [open.jobs.next({ createdAt: 10 }), open.jobs.next({ createdAt: now - dayMs })]
  await open.submit(old, young)
  const make = (content: string, job: NewJob) =>
    artifacts.prepare(() => pieces(content), { mimeType: 'text/plain', jobId: job.record.id })
  const both = await make('both', young)
  await finish(kept, old, [await make('only the old one', old), await make('both', old)], 20)
  await finish(kept, young, [both])
  live.add(old.record, old.tasks, null)
  live.end(old.record.id)

  await tidyUp(kept, forever)
  expect(await open.store.readJob(old.record.id)).toBe(null)
  expect(live.record(old.record.id)).toBe(null)
  await expect.poll(() => filesIn(folder)).toEqual([both.sha256])
  expect(artifacts.files.usedBytes).toBe('both'.length)
})

test('a file whose content a job gives again in the very commit that deletes its last owner stays', async () => {
  const kept = await keep()
  const { open, artifacts, folder } = kept
  const [old, next] = [open.jobs.next({ createdAt: 10 }), open.jobs.next({ createdAt: now })]
  await open.submit(old, next)
  const make = (job: NewJob) =>
    artifacts.prepare(() => pieces('the same again'), { mimeType: 'text/plain', jobId: job.record.id })
  await finish(kept, old, [await make(old)], 20)
  await open.log.changeState(next.record, { kind: 'started', deviceId: 1 as DeviceId }, 'RUNNING', { attempt: 1 })
  const again = await make(next)

  const round = tidyUp(kept, forever)
  await until('the step of deleting waits for company', () => open.store.metrics.queuedOperations > 0)
  await end(kept, next.record, [again], now)
  await round
  expect(await open.store.readJob(old.record.id)).toBe(null)
  expect(await open.store.readArtifact(again.id)).not.toBe(null)
  expect(await filesIn(folder)).toEqual([again.sha256])
})

test('too many bytes of files: those used longest ago go until the rest fits, never what was used within a minute', async () => {
  const kept = await keep({ HEARTH_ARTIFACT_LIMIT_BYTES: 10 })
  const { open, artifacts, folder } = kept
  const [first, second, third] = [
    await upload(kept, 'aaaaa', now - 300_000),
    await upload(kept, 'bbbbb', now - 200_000),
    await upload(kept, 'ccccc', now - 120_000),
  ]
  await tidyUp(kept, forever)
  await expect.poll(() => filesIn(folder)).toHaveLength(2)
  expect(await open.store.readArtifact(first.id)).toBe(null)
  const fresh = await upload(kept, 'much more than may be', now - 1000)
  await tidyUp(kept, forever)
  await expect.poll(() => filesIn(folder)).toEqual([fresh.sha256])
  expect(await open.store.readArtifact(second.id)).toBe(null)
  expect(await open.store.readArtifact(third.id)).toBe(null)
  expect(artifacts.files.usedBytes).toBe(fresh.sizeBytes)
})

test('a round that is called off goes no further', async () => {
  const kept = await keep()
  const old = kept.open.jobs.next({ createdAt: 10 })
  await kept.open.submit(old)
  await finish(kept, old, [], 20)
  await tidyUp(kept, AbortSignal.abort())
  expect(await kept.open.store.readJob(old.record.id)).not.toBe(null)
})
