import { describe, expect, test } from 'vitest'
import type { SessionId, VersionId } from '../../../../src/scheduler/ids.ts'
import { loadMs, mib, SchedulerUnderTest } from '../scheduler-under-test.ts'

const session = 7 as SessionId

/** A device for one of two models. */
function rivals() {
  const scheduler = new SchedulerUnderTest({ yieldAfterMs: { interactive: 5_000, batch: 30_000 } })
  scheduler.device({ name: 'cpu', limitBytes: 400 * mib })
  const [first, second] = [1, 2].map(() => scheduler.version({ weightsBytes: 250 * mib })) as [VersionId, VersionId]
  return { scheduler, first, second }
}

function use(scheduler: SchedulerUnderTest, versionId: VersionId, sessionId: SessionId | null): void {
  const spec = { ...scheduler.spec(versionId), sessionId }
  scheduler.feed({ type: 'jobsSubmitted', jobs: [spec] })
  scheduler.serve()
  scheduler.finish(spec.jobId)
}

const evicted = (scheduler: SchedulerUnderTest) => scheduler.all('unload').map(({ versionId }) => versionId)

describe('a model that nothing runs on', () => {
  test('stays as long as its load took', () => {
    const { scheduler, first, second } = rivals()
    use(scheduler, first, null)
    scheduler.submit(second)
    expect(evicted(scheduler)).toEqual([])
    scheduler.pass(loadMs)
    expect(evicted(scheduler)).toEqual([first])
  })

  test('stays for a session that used it, as long as its pauses usually last', () => {
    const { scheduler, first, second } = rivals()
    for (let count = 0; count < 8; count += 1) {
      use(scheduler, first, session)
      scheduler.pass(2000)
    }
    use(scheduler, first, session)
    scheduler.submit(second)
    scheduler.pass(1900)
    expect(evicted(scheduler)).toEqual([])
    scheduler.pass(200)
    expect(evicted(scheduler)).toEqual([first])
  })

  test('stays for no session that has gone to another model, or is closed', () => {
    const { scheduler, first, second } = rivals()
    use(scheduler, first, session)
    scheduler.pass(1000)
    scheduler.feed({ type: 'sessionClosed', sessionId: session })
    scheduler.submit(second)
    expect(evicted(scheduler)).toEqual([first])
  })

  test('stays for a session that was opened with it in mind', () => {
    const { scheduler, first, second } = rivals()
    use(scheduler, first, null)
    scheduler.pass(1000)
    scheduler.feed({ type: 'sessionOpened', sessionId: session, versionId: first })
    scheduler.submit(second)
    expect(evicted(scheduler)).toEqual([])
  })

  test('goes nevertheless when another has waited too long', () => {
    const { scheduler, first, second } = rivals()
    use(scheduler, first, session)
    scheduler.submit(second)
    scheduler.pass(6000)
    expect(evicted(scheduler)).toEqual([first])
  })
})

describe('the decision to evict', () => {
  test('says what the model was worth, and what those were that stay', () => {
    const scheduler = new SchedulerUnderTest()
    scheduler.device({ name: 'cpu', limitBytes: 700 * mib })
    const [first, second, third] = [1, 2, 3].map(() => scheduler.version({ weightsBytes: 250 * mib }))
    for (const version of [first!, second!]) use(scheduler, version, null)
    scheduler.pass(1000)
    scheduler.submit(third!)
    const [decision] = [...scheduler.state.decisions.read()].filter(({ kind }) => kind === 'EVICT')
    expect(decision).toMatchObject({ reason: 'least_valuable', versionId: first, scheme: 'value' })
    expect(decision!.scores.map(({ versionId, parts }) => [versionId, parts[1], parts[3]])).toEqual([
      [first, loadMs, 0],
      [second, loadMs, 1],
    ])
  })
})
