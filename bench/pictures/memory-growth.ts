/** What a worker holds after many pictures: as much as after some. */
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { privateBytes } from '../harness/process-tree.ts'
import { median } from '../harness/statistics.ts'
import type { Studio } from './studio.ts'

const picturesPerJob = 10
const jobs = 50
const quickJobs = 3
const steps = 2

export async function measureGrowth({ isQuick, say }: RunSettings, studio: Studio): Promise<Figure[]> {
  const bytes: number[] = []
  for (let job = 0; job < (isQuick ? quickJobs : jobs); job += 1) {
    const made = studio.make({ steps, count: picturesPerJob })
    const pid = await studio.workerPid()
    await made
    bytes.push(privateBytes(pid))
  }
  const pictures = bytes.length * picturesPerJob
  const { heldBytes, grownBytes } = growthOf(bytes)
  say(`private memory after ${pictures} pictures: ${megabytes(heldBytes)} MB, grown by ${megabytes(grownBytes)} MB`)
  const memory = { unit: 'MB', better: 'lower' } as const
  return [
    figure({ id: 'pictures.memory.held', what: `private memory of the worker after ${pictures} pictures`, ...memory }, [
      [megabytes(heldBytes)],
    ]),
    figure(
      {
        id: 'pictures.memory.grown',
        what: `its growth from the second third of ${pictures} pictures to the last`,
        ...memory,
        goal: { atMost: 1 },
        note: 'a mebibyte is what the kernel’s pages and the C library move by; the first third is the warm-up.',
      },
      [[megabytes(grownBytes)]],
    ),
  ]
}

/** Of readings in their order: the median of the last third, and what it is more than that of the second. */
export function growthOf(bytes: readonly number[]): { readonly heldBytes: number; readonly grownBytes: number } {
  const third = Math.ceil(bytes.length / 3)
  const heldBytes = median(bytes.slice(-third))
  return { heldBytes, grownBytes: heldBytes - median(bytes.slice(-2 * third, -third)) }
}

function megabytes(bytes: number): number {
  return Number((bytes / 1e6).toFixed(2))
}
