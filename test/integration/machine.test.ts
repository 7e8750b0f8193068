import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { descendants, isAlive } from '../support/processes.ts'
import { embeddings, noop, submit, text } from '../support/submissions.ts'
import { until } from '../support/until.ts'

interface Worker {
  readonly id: string
  readonly engine: string
  readonly state: string
  readonly pid: number
  readonly startedAt: string
  readonly restartCount: number
  readonly requestsServed: number
  readonly memoryBytes: number | null
  readonly device: { readonly id: string } | null
  readonly runningJobs: readonly { readonly id: string }[]
}

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

async function workers(): Promise<readonly Worker[]> {
  return (
    await hearth.ask<{ workers: Worker[] }>(
      '{ workers { id engine state pid startedAt restartCount requestsServed memoryBytes device { id } runningJobs { id } } }',
    )
  ).workers
}

test('the processor is described as it is', async () => {
  const { devices } = await hearth.ask<{ devices: Record<string, unknown>[] }>(
    '{ devices { id name kind source state drain memory { totalBytes limitBytes } capabilities { coreCount architecture precisions details } } }',
  )
  expect(devices).toHaveLength(1)
  expect(devices[0]).toMatchObject({ kind: 'CPU', source: 'CPU', state: 'HEALTHY', drain: 'NONE' })
  const { memory, capabilities } = devices[0] as {
    memory: { totalBytes: number; limitBytes: number }
    capabilities: { coreCount: number; architecture: string; precisions: string[] }
  }
  expect(capabilities.coreCount).toBe(availableParallelism())
  expect(capabilities.precisions).toContain('fp32')
  const machineBytes = Number(/^MemTotal:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1]) * 1024
  expect(memory.totalBytes).toBeLessThanOrEqual(machineBytes)
  expect(memory.limitBytes).toBeLessThanOrEqual(memory.totalBytes)
})

test('every worker that is listed is a process of this server, and serves what it says', async () => {
  for (const input of [noop(), embeddings(['One.']), text({ prompt: 'Say one.', maxTokens: 2 })]) {
    expect((await watch(hearth, await submit(hearth, input)).final()).__typename).toBe('JobSucceeded')
  }
  const listed = await workers()
  expect(new Set(listed.map(({ engine }) => engine))).toEqual(new Set(['none', 'onnx', 'llama_cpp']))
  const own = await descendants(hearth.pid)
  for (const { pid, state, startedAt } of listed) {
    expect(own).toContain(pid)
    expect(await isAlive(pid)).toBe(true)
    expect(['STARTING', 'READY', 'BUSY']).toContain(state)
    expect(Date.parse(startedAt)).toBeLessThanOrEqual(Date.now())
  }
  const served = listed.filter(({ requestsServed }) => requestsServed > 0).map(({ engine }) => engine)
  expect(served.sort()).toEqual(['llama_cpp', 'none', 'onnx'])
})

test('a worker is busy with the jobs it runs, and ready when they have ended', async () => {
  const log = watch(hearth, await submit(hearth, noop({ steps: 100_000, stepMs: 5 })))
  const { jobId } = await log.event('JobStarted')
  const busy = await until('a worker runs the job', async () =>
    (await workers()).find(({ runningJobs }) => runningJobs.some(({ id }) => id === jobId)),
  )
  expect(busy).toMatchObject({ engine: 'none', state: 'BUSY' })
  await hearth.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: jobId })
  await log.final()
  await until(
    'the worker is ready again',
    async () => (await workers()).find(({ id }) => id === busy.id)?.state === 'READY',
  )
})

test('a worker is a node of its own and belongs to its device', async () => {
  const [worker] = await workers()
  const query = `query ($id: ID!) { node(id: $id) { id ... on Worker { engine pid device { id workers { id } } } } }`
  const { node } = await hearth.ask<{ node: { pid: number; device: { workers: { id: string }[] } } }>(query, {
    id: worker!.id,
  })
  expect(node.pid).toBe(worker!.pid)
  expect(node.device.workers.map(({ id }) => id)).toContain(worker!.id)
})

test('the models that were found are listed with what they are made of', async () => {
  const { models } = await hearth.ask<{
    models: {
      totalCount: number
      nodes: {
        name: string
        task: string
        current: Record<string, unknown>
        components: unknown[]
        peakBytes: number
      }[]
    }
  }>(
    `{ models(first: 100) { totalCount nodes { name task peakBytes components { name format sizeBytes sha256 dependsOn }
       current { version sha256 state license defaults examplePrompts sizeBytes peakBytes registeredAt } } } }`,
  )
  expect(models.totalCount).toBe(models.nodes.length)
  const byName = new Map(models.nodes.map((model) => [model.name, model]))
  expect(byName.get('smollm2-135m-instruct')).toMatchObject({
    task: 'generateText',
    current: { state: 'READY', license: 'Apache-2.0', sizeBytes: 98_362_432, defaults: { temperature: 0.2 } },
    components: [{ name: 'language-model', format: 'gguf', sizeBytes: 98_362_432 }],
  })
  expect(byName.get('all-minilm-l6-v2')).toMatchObject({
    task: 'embedText',
    current: { state: 'READY' },
    components: [{ name: 'text-encoder', format: 'onnx' }],
  })
  for (const { peakBytes, current } of models.nodes)
    expect(peakBytes).toBeGreaterThanOrEqual(current['sizeBytes'] as number)
})

test('the server tells its version, its age, its limits and the size of its storage', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const { server } = await hearth.ask<{
    server: {
      now: string
      startedAt: string
      limits: { name: string; value: string }[]
      storage: { databaseBytes: number }
    }
  }>(
    '{ server { version now startedAt ready recoveredJobs limits { name value description } policies { name value description } storage { databaseBytes walBytes } } }',
  )
  expect(server).toMatchObject({ version, ready: true, recoveredJobs: 0 })
  expect(Date.parse(server.startedAt)).toBeLessThanOrEqual(Date.parse(server.now))
  expect(Math.abs(Date.now() - Date.parse(server.now))).toBeLessThan(2000)
  expect(server.limits).toContainEqual(expect.objectContaining({ name: 'queue', value: '100000' }))
  expect(server.storage.databaseBytes).toBeGreaterThan(0)
})

test('the health page and the readiness page say that all is well', async () => {
  const origin = new URL(hearth.url).origin
  expect((await fetch(`${origin}/healthz`)).status).toBe(200)
  expect((await fetch(`${origin}/readyz`)).status).toBe(200)
})
