/** The server's worker processes, as the API tells. */
import { until } from '../harness/until.ts'
import type { Connection } from './jobs.ts'
import { operation } from './operation.ts'

export interface WorkerFacts {
  readonly id: string
  readonly pid: number | null
  readonly engine: string
  readonly state: string
  readonly runningJobs: readonly { readonly id: string }[]
}

const startMsMax = 60_000
const workers = operation('{ workers { id pid engine state runningJobs { id } } }')

export async function listWorkers(connection: Connection): Promise<readonly WorkerFacts[]> {
  return ((await connection.ask(workers, {})) as { readonly workers: readonly WorkerFacts[] }).workers
}

/** Until no worker is on its way any more: a start takes a core for seconds, which is nothing to measure beside. */
export async function workersStarted(connection: Connection): Promise<void> {
  await until('workers that have started', startMsMax, async () => {
    const workers = await listWorkers(connection)
    return workers.length > 0 && workers.every(({ state }) => state === 'READY' || state === 'BUSY') ? workers : null
  })
}
