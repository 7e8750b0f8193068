import { expect, test } from 'vitest'
import type { AppContext } from '../../../src/app/context.ts'
import { LiveJobs } from '../../../src/app/live-jobs.ts'
import { taskForWorker } from '../../../src/app/tasks-for-workers.ts'
import { taskBytes } from '../../../src/runtime/workers/requests.ts'
import type { JobId, TaskId } from '../../../src/scheduler/ids.ts'
import type { JobRecord, TaskKind } from '../../../src/store/records.ts'

const sha256 = 'ab'.repeat(32)
const stored = { artifactId: 7, sha256, mimeType: 'image/png', sizeBytes: 5 }
const file = { path: `/data/artifacts/${sha256}`, mimeType: 'image/png', sizeBytes: 5 }

async function requestOf(taskKind: TaskKind, request: object): Promise<unknown> {
  return (await admitted(taskKind, request)).request
}

async function admitted(taskKind: TaskKind, request: object) {
  const live = new LiveJobs(1)
  const [jobId, taskId] = [1 as JobId, 2 as TaskId]
  const record = { id: jobId, taskKind, versionId: 3, idempotencyKey: null } as unknown as JobRecord
  live.add(record, [{ id: taskId, jobId, node: 'n', program: 'p', components: [], after: [] }], null)
  const context = {
    live,
    clock: { now: () => 0 },
    artifacts: { files: { path: (content: string) => `/data/artifacts/${content}` } },
    store: { readRequest: async () => JSON.stringify({ [taskKind]: request }) },
  } as unknown as AppContext
  return taskForWorker(context, { jobId, taskId, class: 'batch', order: 0, attempt: 1, deadlineAt: null })
}

test('a picture comes as its file or as its bytes', async () => {
  expect(await requestOf('classifyImage', { image: { artifact: stored }, topK: 2 })).toEqual({ image: file, topK: 2 })
  expect(await requestOf('classifyImage', { image: { dataUrl: 'data:image/png;base64,AQID' }, topK: 2 })).toEqual({
    image: { data: Buffer.from([1, 2, 3]) },
    topK: 2,
  })
})

test('tensors come as bytes, texts or files', async () => {
  const request = {
    tensors: [
      { name: 'a', dtype: 'int16', shape: [1, 2], values: [[1, -2]] },
      { name: 'b', dtype: 'string', shape: [2, 1], values: [['x'], ['y']] },
      { name: 'c', dtype: 'uint8', shape: [5], artifact: stored },
    ],
    outputs: ['y'],
  }
  expect(await requestOf('infer', request)).toEqual({
    tensors: [
      { name: 'a', dtype: 'int16', shape: [1, 2], data: Uint8Array.of(1, 0, 254, 255) },
      { name: 'b', dtype: 'string', shape: [2, 1], values: ['x', 'y'] },
      { name: 'c', dtype: 'uint8', shape: [5], ...file },
    ],
    outputs: ['y'],
  })
})

test("a program's files come beside its parameters", async () => {
  const request = { name: 'p', parameters: { artifacts: 1 } }
  expect(await requestOf('program', request)).toEqual(request)
  expect(await requestOf('program', { ...request, artifacts: [stored] })).toEqual({ ...request, artifacts: [file] })
})

test('as many values as a request may have fit one admission', async () => {
  const valuesBytesMax = 12 * 1024 * 1024
  const values = new Array<number>(valuesBytesMax / 8).fill(0)
  const task = await admitted('infer', {
    tensors: [{ name: 'x', dtype: 'float64', shape: [values.length], values }],
    outputs: null,
  })
  expect(taskBytes(task).byteLength).toBeLessThan(16 * 1024 * 1024)
})
