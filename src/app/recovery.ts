/** After a start: what was acknowledged before and had not ended goes on, or is told why it cannot. */
import type { RecoveredJob } from '../scheduler/events.ts'
import type { JobId } from '../scheduler/ids.ts'
import type { JobRecord, TaskKind } from '../store/records.ts'
import { announcedWork } from './announced-work.ts'
import type { AppContext } from './context.ts'
import { failUnrunnable } from './job-commands.ts'
import type { AcceptedRequest } from './request-artifacts.ts'
import { jobSpec } from './submit-jobs.ts'
import type { WantedModel, WantedModels } from './wanted-models.ts'

export interface Recovered {
  readonly waiting: number
  /** Until somebody resumes them; also those that had been asked to pause and were still running. */
  readonly paused: number
  /** Had been loading or running; they begin again. */
  readonly interrupted: number
  /** Their version of the model is gone. */
  readonly failed: number
}

/** So many requests are read at the same time; they may be large. */
const readsMax = 64
/** Requests of other kinds announce nothing, and need not be read. */
const announcingKinds: readonly TaskKind[] = ['textToImage', 'generateText', 'embedText']

export async function recoverJobs(context: AppContext): Promise<Recovered> {
  const works = await worksOf(context)
  const jobs: RecoveredJob[] = []
  const failures: Promise<void>[] = []
  for (const { record, tasks, checkpoints } of context.store.opening.unfinished) {
    context.live.add(record, tasks, null)
    for (const { taskId, step } of checkpoints) context.checkpoints.know(record.id, taskId, step)
    context.log.adopt(record)
    if (!context.catalogue.version(record.versionId)?.spec) {
      failures.push(failUnrunnable(context.log, context.live, record, context.clock.now()))
      continue
    }
    jobs.push({
      ...jobSpec(context, record, tasks, works.get(record.id) ?? 1),
      attempt: record.attempt,
      failedAttempts: record.failedAttempts,
      deathsAlone: record.deathsAlone,
      wasActive: wasActive(record),
      cancelRequested: record.cancelRequestedAt !== null,
      pauseRequested: record.pauseRequestedAt !== null,
      checkpoints,
    })
  }
  if (jobs.length > 0) context.shell.feed({ type: 'jobsRecovered', jobs })
  await Promise.all(failures)
  const paused = jobs.filter((job) => job.pauseRequested).length
  const interrupted = jobs.filter((job) => job.wasActive && !job.pauseRequested).length
  return { waiting: jobs.length - interrupted - paused, paused, interrupted, failed: failures.length }
}

/** What the requests had announced. A step of a large one would be taken for hung, were it expected to be as short as others are. */
async function worksOf({ store }: AppContext): Promise<ReadonlyMap<JobId, number>> {
  const works = new Map<JobId, number>()
  const ids = store.opening.unfinished.flatMap(({ record: { id, taskKind } }) =>
    announcingKinds.includes(taskKind) ? [id] : [],
  )
  for (let from = 0; from < ids.length; from += readsMax) {
    const reads = ids.slice(from, from + readsMax).map(async (id) => {
      const text = await store.readRequest(id)
      if (text === null) throw new Error(`The request of job ${id} is not in the store.`)
      const accepted: AcceptedRequest = JSON.parse(text)
      works.set(id, announcedWork(accepted))
    })
    await Promise.all(reads)
  }
  return works
}

/** What is paused stays so, and nothing that was shown of it is lost; what was asked to go on just before begins again like any other. */
function wasActive({ state, pauseRequestedAt }: JobRecord): boolean {
  return state === 'PAUSED' ? pauseRequestedAt === null : state !== 'QUEUED'
}

/** Models that somebody had asked for, or had pinned, are loaded again, as they are now, where they and their device are still here. */
export async function reloadWanted(context: AppContext): Promise<void> {
  const { wanted, pins, catalogue, shell } = context
  for (const wishes of [pins, wanted]) await passOnToCurrent(context, wishes)
  const isHere = ({ versionId, deviceId }: WantedModel) =>
    catalogue.version(versionId)?.spec && (deviceId === null || shell.hasDevice(deviceId))
  for (const wish of pins.all().filter(isHere)) shell.feed({ type: 'pinRequested', ...wish, pinned: true })
  for (const wish of wanted.all().filter(isHere)) shell.feed({ type: 'loadRequested', ...wish })
}

async function passOnToCurrent({ catalogue, store }: AppContext, wishes: WantedModels): Promise<void> {
  for (const { versionId } of wishes.all()) {
    if (catalogue.version(versionId)) continue
    // Its files were replaced while no server was running.
    const former = await store.readVersion(versionId)
    const current = former && catalogue.model(former.modelId)
    if (current) wishes.passOn(versionId, current.version.id)
  }
}

export function countOf({ waiting, paused, interrupted, failed }: Recovered): number {
  return waiting + paused + interrupted + failed
}

/** One line for who starts the server; null when there was nothing to recover. */
export function describeRecovery(recovered: Recovered): string | null {
  const { waiting, paused, interrupted, failed } = recovered
  const all = countOf(recovered)
  if (all === 0) return null
  const parts = [
    waiting > 0 ? `${waiting} still waiting` : null,
    paused > 0 ? `${paused} paused` : null,
    interrupted > 0 ? `${interrupted} interrupted, starting again` : null,
    failed > 0 ? `${failed} failed because their model is gone` : null,
  ]
  return `Recovered ${all} ${all === 1 ? 'job' : 'jobs'}: ${parts.filter((part) => part !== null).join(', ')}.`
}
