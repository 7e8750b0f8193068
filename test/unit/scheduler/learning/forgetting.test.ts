import { expect, test } from 'vitest'
import type { DeviceId, VersionId } from '../../../../src/scheduler/ids.ts'
import { restore } from '../../../../src/scheduler/snapshot/restore.ts'
import { snapshotLearnt } from '../../../../src/scheduler/snapshot/snapshot.ts'
import { SchedulerUnderTest } from '../scheduler-under-test.ts'

test('what was learnt of versions that are registered no more is forgotten, the oldest first, when there is too much of it', () => {
  const scheduler = new SchedulerUnderTest({ learntVersionsMax: 3 })
  const [first, second, third] = [1, 2, 3].map(() => scheduler.version()) as [VersionId, VersionId, VersionId]
  for (const version of [first, second, third]) scheduler.state.nodeSteps.set(version, new Map([[1 as DeviceId, []]]))
  scheduler.feed({ type: 'serverRestarted', firstRuntimeId: 1000 })
  expect([...scheduler.state.learnt.keys()]).toEqual([first, second, third])
  scheduler.version({ versionId: first })
  const fourth = scheduler.version()
  expect([...scheduler.state.learnt.keys()]).toEqual([third, first, fourth])
  expect([...scheduler.state.nodeSteps.keys()]).toEqual([first, third])
})

test('versions that are registered are remembered, however many they are', () => {
  const scheduler = new SchedulerUnderTest({ learntVersionsMax: 1 })
  const versions = [1, 2, 3].map(() => scheduler.version())
  expect([...scheduler.state.learnt.keys()]).toEqual(versions)
  expect([...restore(snapshotLearnt(scheduler.state)).learnt.keys()]).toEqual(versions)
})
