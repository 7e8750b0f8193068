/** A worker is looked at every second here, by a clock of the test: what it is asked, and when it is given up. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Conversation } from '../../../../src/runtime/workers/conversation.ts'
import { PatientClock } from '../../../../src/runtime/workers/patient-clock.ts'
import { defaultWorkerLimits } from '../../../../src/runtime/workers/worker-limits.ts'
import { WorkerWatch } from '../../../../src/runtime/workers/worker-watch.ts'
import type { TaskId, WorkerId } from '../../../../src/scheduler/ids.ts'
import { hello, readRequests, report, type SentRequest } from '../../../support/frames.ts'
import { noop, withoutSlabs } from '../../../support/real-pool.ts'
import { WorkerLog } from '../../../support/worker-log.ts'

const taskId = 5 as TaskId
const limits = {
  ...defaultWorkerLimits,
  pingIntervalMs: 1000,
  stallMsMax: 1500,
  liveness: { ...defaultWorkerLimits.liveness, stuckIdleMs: 5000, stepMsMax: 8000, loadMsMax: 20_000 },
}
/** Of it the kernel tells nothing, so only the limits of time count. */
const noProcess = 2 ** 22 + 1
let now: number
let unanswered: SentRequest[]
let lastAcknowledged: number
let isBusy: boolean
let isMute: boolean
let asked: string[]
let reason: string | null
let suspicions: boolean[]
let clock: PatientClock
let conversation: Conversation
let watch: WorkerWatch

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  now = 0
  lastAcknowledged = 0
  isBusy = false
  isMute = false
  unanswered = []
  asked = []
  reason = null
  suspicions = []
  clock = new PatientClock(() => now, limits.stallMsMax)
  const requests = unanswered
  conversation = new Conversation({
    workerId: 1 as WorkerId,
    engine: 'none',
    limits,
    now: () => clock.now(),
    write: (frames) => requests.push(...readRequests(frames)) > 0,
    onHello: () => {},
    onPong: (...pong) => watch.pong(...pong),
    onProgress: (progress) => watch.progress(progress),
    onMeasured: () => {},
    onStats: (privateBytes) => watch.stats(privateBytes),
    onLog: () => {},
    onHold: () => {},
    memory: withoutSlabs(),
    listener: new WorkerLog(),
  })
  conversation.read(hello())
})

afterEach(() => {
  watch.stop()
  vi.useRealTimers()
})

test('a worker that has nothing to do is not asked what it has counted', async () => {
  watchOver(process.pid)
  await pass(20)
  expect(asked.filter((type) => type === 'stats')).toEqual([])
})

test('a worker is asked every five seconds while it has tasks, and once after them', async () => {
  watchOver(process.pid)
  conversation.tasks.admit([noop(taskId)])
  expect(await secondsOfStats(12)).toEqual([5, 10])
  say('steps', { entries: [{ kind: 'done', task: taskId, output: {}, stepsRun: 1 }], progress: 1 })
  expect(await secondsOfStats(20)).toEqual([15])
})

test('it is not asked again before it has answered', async () => {
  watchOver(process.pid)
  conversation.tasks.admit([noop(taskId)])
  await pass(20, false)
  expect(asked.filter((type) => type === 'stats')).toHaveLength(1)
})

test('a step that goes on for too long is the end of a worker', async () => {
  watchOver(noProcess)
  conversation.tasks.admit([noop(taskId)])
  isBusy = true
  await pass(20)
  expect(reason).toMatch(/^its step has not ended for 9/)
})

test('a worker whose tasks are all paused does not hang, whatever its engine has in hand', async () => {
  watchOver(noProcess)
  conversation.tasks.admit([noop(taskId)])
  conversation.tasks.pause([taskId])
  say('steps', { entries: [{ kind: 'paused', task: taskId, stateBytes: 1 }], progress: 0 })
  isBusy = true
  await pass(20)
  expect(reason).toBeNull()
  conversation.tasks.resume([taskId])
  await pass(20)
  expect(reason).toContain('its step has not ended')
})

test('a worker without the lease does not hang either', async () => {
  watchOver(noProcess)
  conversation.tasks.admit([noop(taskId)])
  conversation.revokeLease()
  await pass(1)
  isBusy = true
  await pass(20)
  expect(reason).toBeNull()
})

test('while components are loaded in threads, a step is given as long as a load', async () => {
  watchOver(noProcess)
  conversation.tasks.admit([noop(taskId)])
  conversation.load({ versionId: 1 as never, manifest: {}, directory: '/', components: ['encoder'] })
  isBusy = true
  await pass(15)
  expect(reason).toBeNull()
})

test('a worker that does not answer is suspected, and no longer once it has', async () => {
  watchOver(noProcess)
  conversation.tasks.admit([noop(taskId)])
  await pass(1)
  isMute = true
  await pass(3)
  expect(suspicions).toEqual([true])
  isMute = false
  await pass(2)
  expect(suspicions).toEqual([true, false])
  expect(reason).toBeNull()
})

test('while this process itself stands still, nothing is held against a worker', async () => {
  watchOver(noProcess)
  conversation.tasks.admit([noop(taskId)])
  isBusy = true
  await pass(3)
  // Its answers lie unread, and the step may have ended long ago.
  now += 3_600_000
  await pass(4)
  expect(suspicions).toEqual([])
  expect(reason).toBeNull()
  await pass(4)
  expect(reason).toMatch(/^its step has not ended for/)
})

function watchOver(pid: number): void {
  watch = new WorkerWatch({
    pid,
    conversation,
    limits,
    clock,
    onLook: () => {},
    onSuspected: (isSuspected) => suspicions.push(isSuspected),
    onHung: (why) => {
      reason = why
    },
    onMeasured: () => {},
  })
}

/** Lets so many seconds go by, in which the worker answers everything, or acknowledges all but says nothing of its statistics. */
async function pass(seconds: number, answersStats = true): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    now += 1000
    vi.advanceTimersByTime(1000)
    await turn()
    for (const { type, requestId } of isMute ? [] : unanswered.splice(0)) {
      asked.push(type)
      const answer = { requestId, acknowledged: requestId }
      if (type === 'ping') say('pong', { progress: 0, busy: isBusy }, answer)
      else if (type === 'revoke') say('revoked', { stepMs: 0 }, answer)
      else if (type === 'stats' && answersStats)
        say('statsReport', { privateBytes: 1, residentBytes: 1, progress: 0, cpuMs: 1 }, answer)
      else say('ack', {}, answer)
    }
  }
}

/** At which seconds, since the start, it was asked while so many go by. */
async function secondsOfStats(seconds: number): Promise<number[]> {
  const at: number[] = []
  for (let second = 0; second < seconds; second += 1) {
    asked = []
    await pass(1)
    if (asked.includes('stats')) at.push(now / 1000)
  }
  return at
}

function say(...[type, meta, options]: Parameters<typeof report>): void {
  // Acknowledgements never go back.
  conversation.read(report(type, meta, { acknowledged: lastAcknowledged, ...options }))
  lastAcknowledged = options?.acknowledged ?? lastAcknowledged
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}
