/** The worker processes of a server, as its API lists them. */
import type { Hearth } from './hearth.ts'
import { until } from './until.ts'

export interface ListedWorker {
  readonly id: string
  readonly pid: number
  readonly engine: string
  readonly state: string
  readonly restartCount: number
  readonly runningJobs: readonly { readonly id: string }[]
}

export async function listWorkers(hearth: Hearth): Promise<readonly ListedWorker[]> {
  const query = '{ workers { id pid engine state restartCount runningJobs { id } } }'
  return (await hearth.ask<{ workers: ListedWorker[] }>(query)).workers
}

/** The worker that runs a job; waits until there is one. */
export function workerOf(hearth: Hearth, jobId: string): Promise<ListedWorker> {
  return until(`a worker runs ${jobId}`, async () =>
    (await listWorkers(hearth)).find(({ runningJobs }) => runningJobs.some(({ id }) => id === jobId)),
  )
}

/** SIGKILL. A worker that has died since it was listed is as dead as it shall be. */
export function killWorker({ pid }: ListedWorker): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
