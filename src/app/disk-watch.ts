/** How much room is left on the disk of the data folder. Below the reserve nothing new is taken in, so that what was accepted can be finished and written. */
import { statfs } from 'node:fs/promises'
import type { Artifacts } from './artifacts.ts'

const everyMs = 2000

/** Looks now and then; resolves after the first look. Ends with `signal`. A file system that cannot be asked is taken to have room. */
export async function watchDisk(folder: string, artifacts: Artifacts, signal: AbortSignal): Promise<void> {
  const look = async () => {
    const { bavail, bsize } = await statfs(folder)
    artifacts.noteFreeBytes(bavail * bsize)
  }
  const timer = setInterval(() => void look().catch(() => {}), everyMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer))
  await look().catch(() => {})
}
