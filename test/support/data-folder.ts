/** A data folder that outlives servers, removed when the test has ended. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-folder-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
