/** A worker's leave to begin steps, which it has from its start (PROTOCOL.md section 14). */
import { ProtocolError } from './protocol-error.ts'

export class Lease {
  /** Counts what was asked, LEASE and REVOKE alike. */
  #wish = 0
  /** Wishes for REVOKE that were sent and not answered, by the number of the request. */
  readonly #unanswered = new Map<number, number>()
  #isRevoked = false

  /** It begins no step, for certain, until LEASE reaches it. */
  get isRevoked(): boolean {
    return this.#isRevoked
  }

  /** LEASE is asked. */
  grant(): void {
    this.#wish += 1
    this.#isRevoked = false
  }

  /** REVOKE is asked. Returns what is to be called when it leaves. */
  revoke(): (requestId: number) => void {
    this.#wish += 1
    const wish = this.#wish
    return (requestId) => this.#unanswered.set(requestId, wish)
  }

  /** REVOKED came. Throws ProtocolError when it answers no REVOKE. */
  revoked(requestId: number): void {
    const wish = this.#unanswered.get(requestId)
    if (wish === undefined)
      throw new ProtocolError('order', `REVOKED came to request ${requestId}, which was no REVOKE.`)
    this.#unanswered.delete(requestId)
    // LEASE may have been asked since.
    if (wish === this.#wish) this.#isRevoked = true
  }
}
