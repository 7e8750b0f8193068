/** The results of many jobs over one subscription: what a client with many jobs in flight does. */
import { type Connection, type SubmitJobInput, submit } from './jobs.ts'
import { operation } from './operation.ts'

const jobChanges = operation(`
  subscription Finished {
    jobChanges(filter: { states: [SUCCEEDED, FAILED, CANCELLED] }) {
      job { id state output { ... on ProgramOutput { values } } }
    }
  }`)

export interface FinishedJob {
  readonly id: string
  readonly state: string
  readonly output?: { readonly values?: unknown } | null
}

export class JobChanges {
  readonly #connection: Connection
  readonly #waiting = new Map<string, PromiseWithResolvers<FinishedJob>>()

  /** Follows `connection` until it closes. */
  constructor(connection: Connection) {
    this.#connection = connection
    connection
      .stream(jobChanges, {}, (data) => this.#take((data as { jobChanges: { job: FinishedJob } }).jobChanges.job))
      .catch((error: unknown) => {
        for (const { reject } of this.#waiting.values()) reject(error)
      })
  }

  async run(input: SubmitJobInput): Promise<FinishedJob> {
    const id = await submit(this.#connection, input)
    const job = await this.#of(id).promise
    this.#waiting.delete(id)
    if (job.state !== 'SUCCEEDED') throw new Error(`Job ${id} ended ${job.state}.`)
    return job
  }

  #take(job: FinishedJob): void {
    this.#of(job.id).resolve(job)
  }

  /** The change may come before the answer to the submission: both sides meet here. */
  #of(id: string): PromiseWithResolvers<FinishedJob> {
    let waiting = this.#waiting.get(id)
    if (waiting === undefined) {
      waiting = Promise.withResolvers()
      // Whoever never asks for this job must not bring the process down when the connection closes.
      waiting.promise.catch(() => {})
      this.#waiting.set(id, waiting)
    }
    return waiting
  }
}
