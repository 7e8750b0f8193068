/** Amounts as people read them. */
import type { Millis } from '../ids.ts'

export function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`
}

export function seconds(ms: Millis): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`
}

export function jobsAre(count: number): string {
  return count === 1 ? '1 job is' : `${count} jobs are`
}
