/** The server's worker processes, as the API tells. */
import type { Connection } from './jobs.ts'
import { operation } from './operation.ts'

export interface WorkerFacts {
  readonly id: string
  readonly pid: number | null
  readonly engine: string
  readonly state: string
  readonly runningJobs: readonly { readonly id: string }[]
}

const workers = operation('{ workers { id pid engine state runningJobs { id } } }')

export async function listWorkers(connection: Connection): Promise<readonly WorkerFacts[]> {
  return ((await connection.ask(workers, {})) as { readonly workers: readonly WorkerFacts[] }).workers
}
