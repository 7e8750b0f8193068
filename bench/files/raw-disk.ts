/** What the disk of temporary files takes by itself: blocks written one after the other by this process, then synced. */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blocksOf } from './content.ts'

/** Milliseconds until all bytes are on the disk. */
export async function writeRaw(sizeBytes: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'hearth-bench-'))
  try {
    const file = await open(join(folder, 'raw'), 'w')
    try {
      const startedAt = performance.now()
      for (const block of blocksOf(0, sizeBytes)) await file.write(block)
      await file.sync()
      return performance.now() - startedAt
    } finally {
      await file.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
