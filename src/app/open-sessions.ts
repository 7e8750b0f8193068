/** Sessions that are open, in memory; closed ones live in the store. A session that nobody used for its idle time is closed. */
import type { Millis, SessionId } from '../scheduler/ids.ts'
import type { SessionRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { orOverloaded } from './or-overloaded.ts'

/** `lastUsedAt` is written at most this often: it rides on every submission otherwise. */
const touchEveryMs = 10_000

export class OpenSessions {
  readonly #open = new Map<SessionId, SessionRecord>()
  readonly #touchedAt = new Map<SessionId, Millis>()
  readonly #store: Store
  /** First number no session has had. */
  #nextId: number

  constructor(store: Store, open: readonly SessionRecord[]) {
    this.#store = store
    this.#nextId = store.opening.nextSessionId
    for (const session of open) this.#open.set(session.id, session)
  }

  /** Numbers are given in order and sessions are never deleted: one that had a number and is not open was closed. */
  find(id: SessionId): SessionRecord | 'closed' | 'unknown' {
    return this.#open.get(id) ?? (id > 0 && id < this.#nextId ? 'closed' : 'unknown')
  }

  get(id: SessionId): SessionRecord | null {
    return this.#open.get(id) ?? null
  }

  add(session: SessionRecord): void {
    this.#open.set(session.id, session)
    this.#nextId = Math.max(this.#nextId, session.id + 1)
  }

  touch(id: SessionId, now: Millis): void {
    const session = this.#open.get(id)
    if (!session) return
    session.lastUsedAt = now
    if (now - (this.#touchedAt.get(id) ?? 0) < touchEveryMs) return
    this.#touchedAt.set(id, now)
    // A store that is too busy for this is told at the next use.
    void orOverloaded(this.#store.updateSession(id, { lastUsedAt: now }))
  }

  async close(id: SessionId, now: Millis): Promise<SessionRecord | null> {
    const session = this.#open.get(id)
    if (!session) return null
    await this.#store.updateSession(id, { closedAt: now, lastUsedAt: session.lastUsedAt })
    session.closedAt = now
    this.#open.delete(id)
    this.#touchedAt.delete(id)
    return session
  }

  /** Ids of sessions idle for longer than they asked for. */
  idle(now: Millis): SessionId[] {
    return [...this.#open.values()]
      .filter((session) => now - session.lastUsedAt > session.idleTimeoutSeconds * 1000)
      .map(({ id }) => id)
  }

  all(): readonly SessionRecord[] {
    return [...this.#open.values()]
  }

  get count(): number {
    return this.#open.size
  }
}
