/**
 * What becomes of a version whose files change. A worker that finds its model's files changed has computed with nobody knows what: everything of the
 * version is unloaded, nothing loads it, and its files are read again. Files that were replaced by others leave what is resident alone: it serves
 * the jobs that were accepted for it until it goes, and jobs that are left then fail, because no other content may answer for it.
 */
import type { TaskFailureCode } from '../events.ts'
import type { Millis, VersionId, WorkerId } from '../ids.ts'
import { failJob } from '../jobs/jobs.ts'
import { failLoad, failWaitingJobs, waitingJobs } from '../memory/load-failures.ts'
import { loadingResidency, unload, unloadIfIdle } from '../memory/loading.ts'
import { isGone, isLive, type LiveResidency, type Version } from '../state.ts'
import { decided, setAlarm, type Turn } from '../turn.ts'

/** A step found the files of what it computes with changed. What was seen by a residency that is leaving is known already. */
export function distrust(turn: Turn, residency: LiveResidency): void {
  const { version } = residency
  if (!isLive(residency)) return
  for (const each of version.residencies) if (isLive(each)) unload(turn, each, 'unloaded', 'stale_model')
  version.rewarm = version.standing !== 'replaced'
  askForCheck(turn, version)
}

/** A load found other files than those that were verified. What is resident watches over itself. */
export function takeStaleLoad(
  turn: Turn,
  event: { readonly workerId: WorkerId; readonly versionId: VersionId; readonly code: TaskFailureCode },
): void {
  const residency = loadingResidency(turn.state, event.workerId, event.versionId)
  if (!residency) return
  const { version } = residency
  failLoad(turn, residency, 'stale_model')
  unloadIfIdle(turn, residency)
  version.rewarm = version.standing !== 'replaced'
  askForCheck(turn, version)
}

export function takeReplaced(turn: Turn, versionId: VersionId): void {
  const version = turn.state.versions.get(versionId)
  if (version) giveUpFiles(turn, version)
}

export function takeChecked(turn: Turn, versionId: VersionId, state: 'intact' | 'gone'): void {
  const version = turn.state.versions.get(versionId)
  if (!version) return
  if (state === 'gone') giveUpFiles(turn, version)
  else if (version.standing === 'checking') resume(turn, version)
}

/** To be asked whenever something about the version has changed: no job waits for what can never run again. */
export function failJobsOfGone(turn: Turn, version: Version): void {
  if (!isGone(version)) return
  const jobs = waitingJobs(version)
  if (jobs.size > 0) decided(turn, { kind: 'REFUSE', reason: 'version_gone', versionId: version.spec.versionId })
  for (const job of jobs) failJob(turn, job, 'MODEL_VERSION_GONE', false, null)
}

function askForCheck(turn: Turn, version: Version): void {
  turn.touched.add(version)
  if (version.standing !== 'current') return
  const { versionId } = version.spec
  version.standing = 'checking'
  version.staleInARow += 1
  turn.commands.push({ type: 'checkVersion', versionId })
  decided(turn, { kind: 'REFUSE', reason: 'stale_model', versionId })
}

function giveUpFiles(turn: Turn, version: Version): void {
  version.standing = 'replaced'
  version.requests = []
  version.rewarm = false
  turn.touched.add(version)
}

/** Files that are touched again and again, though never changed, are tried ever more slowly, and not for ever. */
function resume(turn: Turn, version: Version): void {
  const { staleLimit, staleBackoffMs } = turn.state.settings
  version.standing = 'current'
  turn.touched.add(version)
  if (version.staleInARow >= staleLimit) {
    version.staleInARow = 0
    return failWaitingJobs(turn, version, 'MODEL_VERSION_GONE', true)
  }
  const pauseMs: Millis = staleBackoffMs[version.staleInARow - 1] ?? staleBackoffMs.at(-1) ?? 0
  version.notBefore = Math.max(version.notBefore, turn.now + pauseMs)
  if (version.notBefore > turn.now) setAlarm(turn.state, version.notBefore)
}
