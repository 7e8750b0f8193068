/** Large outputs from a job's submission to the file that the caller reads; and the shared memory that they went through, which goes with the server. */
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { TensorPoolInfo } from '../../src/runtime/memory/tensor-memory.ts'
import { dataFolder } from '../support/data-folder.ts'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { noop, submitAll } from '../support/submissions.ts'
import { counting, kib, mib, sharedFolder } from '../support/tensor-memory.ts'
import { until } from '../support/until.ts'

const jobQuery = `query ($id: ID!) { job(id: $id) { state output { ... on ProgramOutput { artifacts { url sizeBytes } } } } }`
const sizes = [200 * kib, 3 * mib]

interface JobAnswer {
  readonly job: {
    readonly state: string
    readonly output: { readonly artifacts: readonly { readonly url: string; readonly sizeBytes: number }[] } | null
  }
}

/** Runs so many jobs at once, and reads every byte of their outputs over HTTP. */
async function runJobs(hearth: Hearth, count: number): Promise<void> {
  const ids = await submitAll(
    hearth,
    Array.from({ length: count }, () => noop({ tensorBytes: sizes })),
  )
  for (const id of ids) {
    const { output } = await until('the job has ended', async () => {
      const { job } = await hearth.ask<JobAnswer>(jobQuery, { id })
      if (job.state === 'FAILED') throw new Error(`Job ${id} failed.`)
      return job.state === 'SUCCEEDED' && job
    })
    expect(output?.artifacts.map(({ sizeBytes }) => sizeBytes)).toEqual(sizes)
    for (const [number, { url }] of (output?.artifacts ?? []).entries()) {
      const body = Buffer.from(await (await fetch(url)).arrayBuffer())
      expect(body.equals(counting(number, sizes[number] ?? 0))).toBe(true)
    }
  }
}

async function tensorPool(hearth: Hearth): Promise<TensorPoolInfo> {
  const fields = `problem limitBytes sizeBytes freeBytes grantedBytes inUseBytes hits misses fallbacks refusals droppedTransfers copiedBytes`
  return (await hearth.ask<{ server: { tensorPool: TensorPoolInfo } }>(`{ server { tensorPool { ${fields} } } }`))
    .server.tensorPool
}

describe('large outputs of jobs', () => {
  test('go through shared memory, which is empty again when they are read, and gone with the server', async () => {
    const parent = await sharedFolder()
    const environment = { HEARTH_SHARED_MEMORY_DIR: parent, HEARTH_TENSOR_POOL_BYTES: String(32 * mib) }
    const dataDir = await dataFolder()
    const killed = await startHearth({ dataDir, environment })
    await runJobs(killed, 8)
    const [left] = readdirSync(parent)
    expect(left).toContain(String(killed.pid))
    await killed.kill()
    expect(readdirSync(parent)).toEqual([left])

    const hearth = await startHearth({ dataDir, environment })
    expect(readdirSync(parent)).toHaveLength(1)
    expect(readdirSync(parent)).not.toEqual([left])
    // The first find no room, because nobody knew of them.
    for (let round = 0; round < 3; round += 1) await runJobs(hearth, 4)
    const pool = await tensorPool(hearth)
    expect(pool.hits + pool.misses).toBe(24)
    expect(pool.hits).toBeGreaterThan(0)
    expect(pool).toMatchObject({
      problem: null,
      limitBytes: 32 * mib,
      inUseBytes: 0,
      fallbacks: 0,
      droppedTransfers: 0,
    })
    expect(await hearth.stop()).toBe(0)
    expect(readdirSync(parent)).toEqual([])
  })

  test('come in chunks where there is none, and the server says so', async () => {
    const hearth = await startHearth({ environment: { HEARTH_SHARED_MEMORY_DIR: '/nowhere/shm' } })
    await runJobs(hearth, 6)
    expect(await tensorPool(hearth)).toMatchObject({
      problem: expect.stringContaining('/nowhere/shm'),
      hits: 0,
      fallbacks: 12,
    })
    expect(hearth.log.filter((line) => line.includes('no shared memory for large tensors'))).toHaveLength(1)
    await hearth.stop()
  })
})
