/** Memory, cores, open files, the clock. */
import { fail, ok, size, warn } from './finding.mjs'

const MEBIBYTE = 1024 ** 2

/** The server, a worker and the smaller starter model. */
const MEMORY_NEEDED_BYTES = 512 * MEBIBYTE
/** Both starter models with their caches and warm spares. */
const MEMORY_WISHED_BYTES = 2048 * MEBIBYTE
/** The share of the memory available at its start that the server plans with when no devices are declared. */
const MEMORY_SHARE = 0.7
/** Database, workers, models and libraries, beside the connections. */
const OPEN_FILES_BESIDE = 256
const OPEN_FILES_NEEDED = 512
/** This version is younger than that. */
const EARLIEST_MS = Date.UTC(2026, 0, 1)
const LATEST_MS = Date.UTC(2100, 0, 1)
const LEAP_MS_MAX = 20
const SKEW_MS_MAX = 2000
const FUTURE_MS_MAX = 60_000

/**
 * @param {import('./facts.mjs').Facts} facts
 * @returns {import('./finding.mjs').Finding[]}
 */
export function judgeMachine(facts) {
  return [judgeMemory(facts), ...judgeOvercommit(facts), judgeCores(facts), judgeOpenFiles(facts), judgeClock(facts)]
}

/** @typedef {import('./facts.mjs').Facts} Facts */

/** @param {Facts} facts */
function judgeMemory({ machine: { totalBytes, availableBytes, group } }) {
  const { memory } = group
  const left =
    memory === null ? availableBytes : Math.min(availableBytes, Math.max(0, memory.limitBytes - memory.usedBytes))
  const bound =
    memory === null
      ? 'no limit of a control group'
      : `a control group (version ${group.version}) allows ${size(memory.limitBytes)}`
  const all = Math.min(totalBytes, memory?.limitBytes ?? totalBytes)
  const message = `${size(left)} of ${size(all)} are available (${bound}); without declared devices Hearth plans with ${size(left * MEMORY_SHARE)}.`
  const mend =
    memory !== null && memory.limitBytes < totalBytes
      ? "Raise the container's limit (docker run --memory=4g; systemd: MemoryMax=4G), or end what else runs in it."
      : 'End what else uses memory (see it with: ps aux --sort=-rss | head), or use a machine with more.'
  if (left < MEMORY_NEEDED_BYTES) return fail('memory', message, mend)
  if (left < MEMORY_WISHED_BYTES) return warn('memory', `${message} The starter models will take turns.`, mend)
  return ok('memory', message)
}

/** @param {Facts} facts */
function judgeOvercommit({ machine: { overcommit } }) {
  if (overcommit !== 2) return []
  return [
    warn(
      'overcommit',
      'vm.overcommit_memory is 2: the kernel refuses memory that is only reserved, as Node and the model engines do by the gigabyte.',
      'sudo sysctl vm.overcommit_memory=0',
    ),
  ]
}

/** @param {Facts} facts */
function judgeCores({ machine: { cores, group } }) {
  if (cores === null) return ok('cores', 'As many as the system gives; they cannot be chosen here.')
  const count = cores.length === 1 ? '1 core' : `${cores.length} cores`
  const message = `${count} may be used`
  if (group.cpuCores !== null && group.cpuCores < 1) {
    return warn(
      'cores',
      `${message}, for ${group.cpuCores.toFixed(2)} of one core's time: steps will stall when it is used up.`,
      "Raise the container's share (docker run --cpus=2; systemd: CPUQuota=200%).",
    )
  }
  return ok(
    'cores',
    group.cpuCores === null ? `${message}.` : `${message}, for ${group.cpuCores.toFixed(2)} cores' time.`,
  )
}

/** @param {Facts} facts */
function judgeOpenFiles({ machine: { openFilesMax }, settings }) {
  if (openFilesMax === null) return ok('open files', 'This system does not tell its limit.')
  const connections = settings.number('HEARTH_MAX_CONNECTIONS', 4096)
  const needed = connections + OPEN_FILES_BESIDE
  const mend = `Raise the hard limit (systemd: LimitNOFILE=${needed}; docker run --ulimit nofile=${needed}; /etc/security/limits.conf: * hard nofile ${needed}), or set HEARTH_MAX_CONNECTIONS=${Math.max(1, openFilesMax - OPEN_FILES_BESIDE)}.`
  if (openFilesMax < OPEN_FILES_NEEDED)
    return fail('open files', `At most ${openFilesMax} may be open; Hearth needs ${OPEN_FILES_NEEDED}.`, mend)
  if (openFilesMax < needed) {
    return warn(
      'open files',
      `At most ${openFilesMax} may be open, fewer than ${connections} connections need (${needed}): some would be lost.`,
      mend,
    )
  }
  return ok('open files', `Up to ${openFilesMax}; ${connections} connections need ${needed}.`)
}

/** @param {Facts} facts */
function judgeClock({ machine: { nowMs, clockLeapMs }, dataFolder }) {
  const set = 'Let the system keep it: sudo timedatectl set-ntp true (shows it: timedatectl)'
  const date = Number.isFinite(nowMs) && Math.abs(nowMs) < 8e15 ? new Date(nowMs).toISOString() : 'no date'
  if (nowMs < EARLIEST_MS || nowMs > LATEST_MS) {
    return fail('clock', `It says ${date}: times of jobs, and everything that expires, would be wrong.`, set)
  }
  if (Math.abs(clockLeapMs) > LEAP_MS_MAX)
    return warn('clock', `It leapt by ${Math.round(clockLeapMs)} ms while it was watched.`, set)
  if (Math.abs(dataFolder.skewMs) > SKEW_MS_MAX) {
    return warn(
      'clock',
      `The disk of ${dataFolder.path} keeps another time: ${Math.round(dataFolder.skewMs / 1000)} s apart.`,
      set,
    )
  }
  if (dataFolder.newestMs !== null && dataFolder.newestMs > nowMs + FUTURE_MS_MAX) {
    const newest = new Date(dataFolder.newestMs).toISOString()
    return warn('clock', `It says ${date}, but the data folder was written at ${newest}: it has been set back.`, set)
  }
  return ok('clock', `${date}, steady.`)
}
