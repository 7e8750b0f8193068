import { expect, test } from 'vitest'
import { Previews } from '../../../src/app/previews.ts'
import type { StoredContent } from '../../../src/runtime/artifacts/artifact-files.ts'
import type { JobId } from '../../../src/scheduler/ids.ts'
import type { ArtifactId, ArtifactRecord, JobRecord } from '../../../src/store/records.ts'
import { artifactRecord } from '../../support/artifacts.ts'
import { until } from '../../support/until.ts'

const job = { id: 1 as JobId } as JobRecord
type Settled = (end: 'committed' | 'dropped') => void

/** A disk that writes a file when it is told to, and a log that settles a preview when it is told to. */
class Stage {
  readonly written: number[] = []
  readonly shown: { readonly item: number; readonly step: number; readonly settled: Settled }[] = []
  readonly committed: StoredContent[] = []
  readonly discarded: StoredContent[] = []
  readonly failures: unknown[] = []
  #writes: ((artifact: ArtifactRecord | null) => void)[] = []
  readonly previews = new Previews({
    artifacts: {
      prepareIfRoom: (bytes) => {
        this.written.push(bytes[0] as number)
        return new Promise((resolve) => this.#writes.push(resolve))
      },
      committed: (records) => this.committed.push(...records),
      discard: async (records) => void this.discarded.push(...records),
    },
    log: { preview: (_, item, step, _artifact, settled) => this.shown.push({ item, step, settled }) },
    onFailed: (error) => this.failures.push(error),
  })

  show(step: number, item = 0): void {
    this.previews.show(job, { item, step, mimeType: 'image/png', picture: Uint8Array.of(step) })
  }

  /** The oldest write ends. */
  async writes(artifact: ArtifactRecord | null = artifactRecord({ id: 5 as ArtifactId })): Promise<void> {
    const before = this.shown.length + this.previews.figures.dropped
    this.#writes.shift()?.(artifact)
    await until('the preview is dealt with', () => this.shown.length + this.previews.figures.dropped > before)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a preview is shown when its file is durable, and its file is held until its row is committed', async () => {
  const stage = new Stage()
  stage.show(5)
  expect(stage.shown).toEqual([])
  await stage.writes()
  expect(stage.shown).toMatchObject([{ item: 0, step: 5 }])
  expect(stage.committed).toEqual([])
  stage.shown[0]?.settled('committed')
  expect(stage.committed).toMatchObject([{ id: 5 }])
  expect(stage.previews.figures).toEqual({ shown: 1, superseded: 0, dropped: 0 })
})

test('while one preview of a picture is written, the newest of those that come takes the place of the others', async () => {
  const stage = new Stage()
  for (const step of [5, 10, 15]) stage.show(step)
  expect(stage.written).toEqual([5])
  await stage.writes()
  expect(stage.written).toEqual([5, 15])
  await stage.writes()
  expect(stage.shown.map(({ step }) => step)).toEqual([5, 15])
  expect(stage.previews.figures.superseded).toBe(1)
})

test('previews of two pictures do not wait for each other', async () => {
  const stage = new Stage()
  stage.show(5, 0)
  stage.show(6, 1)
  expect(stage.written).toEqual([5, 6])
})

test('a disk without room drops previews, counts them, and takes the next', async () => {
  const stage = new Stage()
  stage.show(5)
  await stage.writes(null)
  stage.show(10)
  await stage.writes()
  expect(stage.shown.map(({ step }) => step)).toEqual([10])
  expect(stage.previews.figures.dropped).toBe(1)
  expect(stage.failures).toEqual([])
})

test('after the end of the job nothing that waits is written', async () => {
  const stage = new Stage()
  stage.show(5)
  stage.show(10)
  stage.previews.forget(job.id)
  await stage.writes()
  expect(stage.written).toEqual([5])
  expect(stage.previews.figures.superseded).toBe(1)
})

test('the file of a preview that the log does not take goes', async () => {
  const stage = new Stage()
  stage.show(5)
  await stage.writes()
  stage.shown[0]?.settled('dropped')
  expect(stage.discarded).toMatchObject([{ id: 5 }])
  expect(stage.previews.figures).toEqual({ shown: 0, superseded: 1, dropped: 0 })
})
