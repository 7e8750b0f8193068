/**
 * The scheduler: a state machine that decides which task runs on which worker, what is loaded where, and what becomes of work whose worker dies.
 * `step` takes one fact and the time at which it was learnt, updates the state in place and returns what is to be done, in order. It reads no clock,
 * no random source, no file: the same facts give the same commands, live, in the simulator and in a replay.
 */

import { admitWaiting } from './admission/admission.ts'
import { goOn } from './admission/next-tasks.ts'
import { takeStepTimes } from './batching/step-times.ts'
import type { Command } from './commands.ts'
import { takeHint } from './demand/hints.ts'
import { forgetSession, openSession } from './demand/sessions.ts'
import type { SchedulerEvent } from './events.ts'
import { loseDevice, takeBackDevice } from './failover/device-loss.ts'
import { loseWorker } from './failover/failover.ts'
import { failJobsOfGone, takeChecked, takeReplaced, takeStaleLoad } from './failover/file-changes.ts'
import { dropProcess, recoverJob } from './failover/recovery.ts'
import { clearWorker, suspectWorker } from './failover/suspicion.ts'
import type { Millis } from './ids.ts'
import { acceptJob } from './jobs/accepting.ts'
import { cancelJob } from './jobs/cancellation.ts'
import { takeCheckpoint } from './jobs/checkpoints.ts'
import { expireDue, hurryDue, keepTimer, ringAlarms } from './jobs/deadlines.ts'
import { pauseJob, resumeJob } from './jobs/pausing.ts'
import { announceToWaiting, takeLoadFailure } from './memory/load-failures.ts'
import { requestLoad, requestUnload } from './memory/load-requests.ts'
import { takeComponent, takeLoaded, takeUnloaded, unloadIfIdle } from './memory/loading.ts'
import { takePin } from './pins/pins.ts'
import { isPlacementDue, placeWanted } from './placement/placement.ts'
import { noteWant } from './placement/wants.ts'
import { settlePressure } from './pressure/pressure.ts'
import { addDevice, measureDevice, registerVersion } from './registration.ts'
import type { LiveResidency, SchedulerState, Version } from './state.ts'
import { beginTurn, type Turn, tellWorkers } from './turn.ts'
import { drain } from './workers/draining.ts'
import { settleLeases, takeRevoked } from './workers/leases.ts'
import { recycle } from './workers/recycling.ts'
import { takeReports } from './workers/reports.ts'
import { staffEngines, takeMeasured, takeReady } from './workers/workers.ts'

export { createState } from './state.ts'

export function step(state: SchedulerState, event: SchedulerEvent, now: Millis): Command[] {
  const turn = beginTurn(state, now)
  ringAlarms(turn)
  take(turn, event)
  recycle(turn)
  expireDue(turn)
  hurryDue(turn)
  admitAndPlace(turn)
  // What that begins may bring pressure anew.
  for (let rounds = 0; rounds < pressureRoundsMax && settlePressure(turn); rounds += 1) admitAndPlace(turn)
  settleLeases(turn)
  tellWorkers(turn)
  // Starting a process takes the shell milliseconds; running work does not wait for that.
  while (turn.staffingDue) staffEngines(turn)
  keepTimer(turn)
  return turn.commands
}

function take(turn: Turn, event: SchedulerEvent): void {
  switch (event.type) {
    case 'deviceAdded':
      return addDevice(turn, event.device)
    case 'versionRegistered':
      return registerVersion(turn, event.version)
    case 'versionReplaced':
      return takeReplaced(turn, event.versionId)
    case 'versionChecked':
      return takeChecked(turn, event.versionId, event.state)
    case 'jobsSubmitted':
      for (const spec of event.jobs) {
        const job = acceptJob(turn, spec)
        if (job) goOn(turn, job)
      }
      return
    case 'jobsRecovered':
      for (const spec of event.jobs) recoverJob(turn, spec)
      return
    case 'cancelRequested':
      return cancelJob(turn, event.jobId)
    case 'pauseRequested':
      return pauseJob(turn, event.jobId, event.cause)
    case 'resumeRequested':
      return resumeJob(turn, event.jobId)
    case 'loadRequested':
      return requestLoad(turn, event.versionId, event.deviceId)
    case 'unloadRequested':
      return requestUnload(turn, event.versionId, event.deviceId)
    case 'workerReady':
      return takeReady(turn, event.workerId, event.privateBytes)
    case 'workerExited':
      return loseWorker(turn, event.workerId, event.cause)
    case 'modelLoaded':
      return takeLoaded(turn, event)
    case 'componentLoaded':
      return takeComponent(turn, event)
    case 'modelLoadFailed':
      return event.code === 'stale_model' ? takeStaleLoad(turn, event) : takeLoadFailure(turn, event)
    case 'modelUnloaded':
      return takeUnloaded(turn, event.workerId, event.versionId)
    case 'stepsReported':
      return takeReports(turn, event.workerId, event.reports)
    case 'taskCheckpointed':
      return takeCheckpoint(turn.state, event.workerId, event.taskId, event.step)
    case 'stepsTimed':
      return takeStepTimes(turn, event)
    case 'leaseRevoked':
      return takeRevoked(turn.state, event.workerId)
    case 'workerSuspected':
      return suspectWorker(turn, event.workerId)
    case 'workerAnswered':
      return clearWorker(turn, event.workerId)
    case 'deviceLost':
      return loseDevice(turn, event.deviceId)
    case 'deviceReturned':
      return takeBackDevice(turn, event.deviceId)
    case 'workerMeasured':
      return takeMeasured(turn, event.workerId, event.privateBytes)
    case 'deviceMeasured':
      return measureDevice(turn, event.deviceId, event.externalBytes, event.stallShare)
    case 'pinRequested':
      return takePin(turn, event.versionId, event.deviceId, event.pinned)
    case 'hintGiven':
      return takeHint(turn, event.versionId, event.withinMs, event.probability)
    case 'sessionOpened':
      return openSession(turn.state, event.sessionId, event.versionId, turn.now)
    case 'sessionClosed':
      return forgetSession(turn.state, event.sessionId)
    case 'timerFired':
      turn.state.timerAt = null
      return
    case 'drainRequested':
      return drain(turn)
    case 'serverRestarted':
      return dropProcess(turn.state, event.firstRuntimeId)
    default:
      return event satisfies never
  }
}

/** Work of resident models first, so that no load is ever in its way. */
function admitAndPlace(turn: Turn): void {
  let rounds = 0
  do {
    rounds += 1
    if (rounds > roundsMax) throw new Error(`A step does not come to its end: ${wordsOf(turn)}.`)
    for (const version of turn.touched) {
      turn.touched.delete(version)
      failJobsOfGone(turn, version)
      admitWaiting(turn, version)
      for (const residency of version.residencies.filter(isLeaving)) unloadIfIdle(turn, residency)
      announceToWaiting(turn, version)
      noteWant(turn, version)
    }
    if (isPlacementDue(turn)) placeWanted(turn)
  } while (turn.touched.size > 0 || isPlacementDue(turn))
}

const pressureRoundsMax = 5
/** Each round is about what the one before has changed; two or three are usual. */
const roundsMax = 1000

function wordsOf({ touched, unplaced, freed }: Turn): string {
  const names = (versions: ReadonlySet<Version>) => [...versions].map(({ spec }) => spec.modelName).join(', ')
  const devices = [...freed].map(({ spec }) => spec.name).join(', ')
  return `touched ${names(touched)}; unplaced ${names(unplaced)}; freed ${devices}`
}

function isLeaving({ state }: LiveResidency): boolean {
  return state === 'evicting'
}
