/** Waiting for something that only polling can see: a row of another process, an entry in /proc. */
import { setTimeout as delay } from 'node:timers/promises'

const pollMs = 20

/** The first value of `probe` that is neither null, undefined nor false; throws after `withinMs`, with what was seen last. */
export async function until<Value>(
  what: string,
  probe: () => Value | null | undefined | false | Promise<Value | null | undefined | false>,
  withinMs = 20_000,
): Promise<Value> {
  const end = performance.now() + withinMs
  for (;;) {
    const value = await probe()
    if (value !== null && value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error(`Not within ${withinMs} ms: ${what}.`)
    await delay(pollMs)
  }
}
