/** The writing side of a store, in memory, that commits when the test says so: what may be seen before a commit can be told from what may be seen after. */
import type { JobId } from '../../src/scheduler/ids.ts'
import type { ArtifactRecord, JobEvent, JobRecord } from '../../src/store/records.ts'
import type { Store } from '../../src/store/store.ts'

export class HeldStore {
  /** First number whose block is not reserved. */
  reserved = 1_000_000
  readonly committed: JobEvent[] = []
  /** That came with progress, committed or not. */
  readonly artifacts: ArtifactRecord[] = []
  readonly withdrawn: { readonly jobId: JobId; readonly items: readonly number[] }[] = []
  #held: { readonly event: JobEvent; readonly resolve: () => void }[] = []
  #listener: (events: readonly JobEvent[]) => void = () => {}
  #sequence = 100

  /** As the event log sees it. */
  get store(): Store {
    const store: Partial<Store> = {
      nextSequence: () => ++this.#sequence,
      lastSequence: () => this.#sequence,
      isReserved: (sequence) => sequence < this.reserved,
      onCommit: (listener) => void (this.#listener = listener),
      changeJob: ({ event }) => this.#hold(event),
      recordProgress: (event, _, artifacts = []) => {
        this.artifacts.push(...artifacts)
        return this.#hold(event)
      },
      readEvents: (jobId, after, limit) =>
        Promise.resolve(
          this.committed.filter((event) => event.jobId === jobId && event.sequence > after).slice(0, limit),
        ),
      readArtifact: (id) => Promise.resolve(this.artifacts.find((artifact) => artifact.id === id) ?? null),
      withdrawPreviews: (jobId, items) => {
        this.withdrawn.push({ jobId, items })
        return Promise.resolve([])
      },
      readChanges: (after, limit) =>
        Promise.resolve(this.committed.filter((event) => event.to !== null && event.sequence > after).slice(0, limit)),
    }
    return store as Store
  }

  get heldCount(): number {
    return this.#held.length
  }

  /** Writes a new job's first event, which waits for its commit like all others. */
  submit(record: JobRecord): void {
    const body = { kind: 'queued' } as const
    void this.#hold({ sequence: ++this.#sequence, jobId: record.id, attempt: 0, at: 1, from: null, to: 'QUEUED', body })
  }

  /** Commits the oldest `count` events as one commit. */
  commit(count = this.#held.length): void {
    this.write(count)()
  }

  /** The same in two steps: readers of the store have it now, the listener hears of it when the answer is called. */
  write(count = this.#held.length): () => void {
    const commit = this.#held.splice(0, count)
    const events = commit.map(({ event }) => event)
    this.committed.push(...events)
    return () => {
      this.#listener(events)
      for (const { resolve } of commit) resolve()
    }
  }

  #hold(event: JobEvent): Promise<void> {
    return new Promise((resolve) => this.#held.push({ event, resolve }))
  }
}
