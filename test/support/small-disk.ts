/**
 * A disk that is really full: a file system in memory of a given size, mounted for the server alone in a namespace of its own. The test reaches it
 * through the server's view of the file system. Machines that forbid this are told so by a failing test, not by a skipped one.
 */
import { open, rm, statfs } from 'node:fs/promises'
import { dataFolder } from './data-folder.ts'
import { type Hearth, startHearth } from './hearth.ts'

const mebibyte = 1024 * 1024

export interface SmallDisk {
  readonly hearth: Hearth
  /** Takes room until so many bytes are left. */
  readonly fillUpTo: (bytesLeft: number) => Promise<void>
  readonly freeBytes: () => Promise<number>
  /** Gives back what was taken. */
  readonly free: () => Promise<void>
}

export async function startOnSmallDisk(
  sizeMiB: number,
  environment: Readonly<Record<string, string>>,
): Promise<SmallDisk> {
  const dataDir = await dataFolder()
  const mount = `mount -t tmpfs -o size=${sizeMiB}m,mode=700 none ${dataDir} && exec "$@"`
  const hearth = await startHearth({ dataDir, environment, wrapper: ['unshare', '-rm', 'sh', '-c', mount, 'sh'] })
  const inside = `/proc/${hearth.pid}/root${dataDir}`
  const ballast = `${inside}/ballast`
  const freeBytes = async () => {
    const { bavail, bsize } = await statfs(inside)
    return bavail * bsize
  }
  return {
    hearth,
    freeBytes,
    async fillUpTo(bytesLeft) {
      const file = await open(ballast, 'a')
      try {
        for (;;) {
          const rest = (await freeBytes()) - bytesLeft
          if (rest <= 0) return
          await file.write(Buffer.alloc(Math.min(rest, mebibyte)))
        }
      } finally {
        await file.close()
      }
    },
    free: () => rm(ballast),
  }
}
