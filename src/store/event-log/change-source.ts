/** The state changes of all jobs as a reader sees them. */
import type { Store } from '../store.ts'
import type { ChangeRing } from './change-ring.ts'
import type { EventSource } from './event-reader.ts'

const pageEvents = 256

/** `published`: the number up to which everything committed has been published. */
export function changeSource(ring: ChangeRing, published: () => number, store: Store): EventSource {
  return {
    look: (cursor) => (cursor < ring.evictedThrough ? 'older' : (ring.after(cursor) ?? ring.waiters)),
    async readOlder(cursor) {
      const page = await store.readChanges(cursor, pageEvents)
      const through = published()
      return page.filter(({ sequence }) => sequence <= through)
    },
    whereMemoryBegins: () => ring.evictedThrough,
    isGone: () => false,
    isLast: () => false,
  }
}
