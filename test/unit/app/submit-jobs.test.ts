import { expect, test } from 'vitest'
import type { CatalogueEntry } from '../../../src/app/catalogue.ts'
import type { AppContext } from '../../../src/app/context.ts'
import { buildTasks, jobSpec } from '../../../src/app/submit-jobs.ts'
import type { JobId, SessionId, VersionId } from '../../../src/scheduler/ids.ts'
import { pictureModel } from '../../support/picture-models.ts'
import { queuedRecord } from '../../support/stored-jobs.ts'

const manifest = pictureModel()
const entry = { manifest } as CatalogueEntry
const record = { ...queuedRecord(1), versionId: 3 as VersionId }

function contextOf(known: CatalogueEntry | null): AppContext {
  let taskId = 10
  return { ids: { task: () => taskId++ }, catalogue: { version: () => known } } as unknown as AppContext
}

test('the scheduler hears of each task its stage, whether its output is held, and which components it needs', () => {
  const context = contextOf(entry)
  const tasks = buildTasks(context, 1 as JobId, entry, {})
  expect(jobSpec(context, record, tasks, 1).tasks).toEqual([
    { taskId: 10, versionId: 3, after: [], stage: 'inference', isHeld: true, components: [0] },
    { taskId: 11, versionId: 3, after: [10], stage: 'inference', isHeld: true, components: [1, 3] },
    { taskId: 12, versionId: 3, after: [11], stage: 'inference', isHeld: true, components: [2] },
    { taskId: 13, versionId: 3, after: [12], stage: 'postprocessing', isHeld: false, components: [] },
  ])
})

test('a job weighs what its session does, and one without a session weighs 1', () => {
  const sessions = { get: () => ({ weight: 4 }) }
  const context = { ...contextOf(entry), sessions } as unknown as AppContext
  expect(jobSpec(context, { ...record, sessionId: 2 as SessionId }, [], 30)).toMatchObject({ weight: 4, work: 30 })
  expect(jobSpec(context, { ...record, sessionId: null }, [], 30)).toMatchObject({ sessionId: null, weight: 1 })
})

test('of a version that is gone no component is known', () => {
  const context = contextOf(null)
  const tasks = buildTasks(context, 1 as JobId, entry, {})
  expect(jobSpec(context, record, tasks, 1).tasks.map(({ components }) => components)).toEqual([[], [], [], []])
})
