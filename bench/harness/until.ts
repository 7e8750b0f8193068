/** Waiting for a condition, bounded. */
import { setTimeout as sleep } from 'node:timers/promises'

const pollMs = 20

/** Asks `condition` until it gives something; throws after `limitMs`, naming `what` it waited for. */
export async function until<Value>(
  what: string,
  limitMs: number,
  condition: () => Promise<Value | null>,
): Promise<Value> {
  const endsAt = performance.now() + limitMs
  for (;;) {
    const value = await condition()
    if (value !== null) return value
    if (performance.now() > endsAt) throw new Error(`Waited ${limitMs} ms in vain for: ${what}.`)
    await sleep(pollMs)
  }
}
