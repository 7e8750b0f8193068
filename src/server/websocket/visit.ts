/**
 * What belongs to one socket: its operations in flight, by id. graphql-ws forgets an operation when its client completes it, also
 * while it is still being set up; here it is kept until it has really ended, so that nothing that was opened outlives the socket.
 */
import type { IncomingMessage } from 'node:http'
import type { Operation, Outcome } from '../graphql/engine.ts'

export class Visit {
  readonly request: IncomingMessage
  /** Null while there is nothing to release. */
  readonly #operations = new Map<string, AsyncIterator<unknown> | null>()
  #isOver = false

  constructor(request: IncomingMessage) {
    this.request = request
  }

  get operationsInFlight(): number {
    return this.#operations.size
  }

  isInFlight(id: string): boolean {
    return this.#operations.has(id)
  }

  begin(id: string): void {
    this.#operations.set(id, null)
  }

  end(id: string): void {
    this.#operations.delete(id)
  }

  async run(id: string, operation: Operation): Promise<Outcome> {
    const outcome = await operation.run()
    if (!('next' in outcome)) return outcome
    if (this.#isOver) await outcome.return?.()
    else this.#operations.set(id, outcome)
    return outcome
  }

  /** The socket has closed. */
  async leave(): Promise<void> {
    this.#isOver = true
    await Promise.all([...this.#operations.values()].map((results) => Promise.resolve(results?.return?.())))
  }
}
