/** Servers that one test starts, several of them one after the other: whatever becomes of the test, none is left running. */
import { onTestFinished } from 'vitest'
import { type Hearth, type HearthOptions, startHearth } from './hearth.ts'

export async function startServer(options: HearthOptions = {}): Promise<Hearth> {
  const hearth = await startHearth(options)
  onTestFinished(() => hearth.kill())
  return hearth
}
