/** Large files through the server: piece by piece in flat memory, or put together in memory first. */
import { FileTraveller } from '../files/file-door.ts'
import { HearthDoor } from '../files/hearth-door.ts'
import { NaiveDoor } from '../files/naive-door.ts'
import { type Mechanism, sidesOf, type Values } from './mechanism.ts'

const mib = 1024 * 1024
const fileBytes = 1024 * mib
const quickBytes = 128 * mib

export const streaming: Mechanism = {
  name: 'streaming',
  naive:
    'a small server builds the whole file in memory, then hashes it, then writes it and waits for the disk, and reads it whole to send it.',
  pairs: 2,
  comparisons: [
    { key: 'up.peak', what: '1 GiB up, growth of the server at most', unit: 'MB', mustBring: { less: 0.95 } },
    {
      key: 'down.peak',
      what: '1 GiB down, growth of the server at most',
      unit: 'MB',
      mustBring: { less: 0.95 },
      note: 'what the naive server has not yet collected of the upload before counts too; the file alone is 1,074 MB.',
    },
    { key: 'up.seconds', what: '1 GiB up, hashed and on the disk', unit: 's', mustBring: { less: 0.5 } },
    { key: 'down.seconds', what: '1 GiB down', unit: 's', mustBring: { less: 0.5 } },
  ],
  open: async ({ isQuick, profileDir }) => {
    await using opened = new AsyncDisposableStack()
    const hearth = await FileTraveller.start(opened.use(await HearthDoor.start({ profileDir })))
    const naive = await FileTraveller.start(opened.use(await NaiveDoor.start()))
    const measure = async (traveller: FileTraveller): Promise<Values> => {
      const { upMs, downMs, upPeakBytes, downPeakBytes } = await traveller.trip(isQuick ? quickBytes : fileBytes)
      return {
        'up.peak': upPeakBytes / 1e6,
        'down.peak': downPeakBytes / 1e6,
        'up.seconds': upMs / 1000,
        'down.seconds': downMs / 1000,
      }
    }
    return sidesOf(opened.move(), { with: () => measure(hearth), without: () => measure(naive) })
  },
}
