import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { serial, withModels } from '../support/models.ts'
import { seededDraws } from '../support/random.ts'
import { embeddings, type JobInput, noop, submit, submitAll, text, trySubmit } from '../support/submissions.ts'
import { until } from '../support/until.ts'

const mib = 1024 * 1024

let hearth: Hearth
afterEach(() => hearth.stop())

async function startWithDevices(
  ...devices: readonly { name: string; cores: readonly number[]; memoryLimitBytes: number }[]
): Promise<void> {
  const file = join(await mkdtemp(join(tmpdir(), 'hearth-devices-')), 'devices.json')
  await writeFile(file, JSON.stringify(devices.map((device) => ({ kind: 'cpu', ...device }))))
  hearth = await startHearth({ environment: { ...(await withModels(serial)), HEARTH_DEVICES: file } })
}

interface Device {
  readonly memory: Readonly<Record<'allocatedBytes' | 'reservedBytes', number>>
  readonly residencies: readonly { readonly id: string }[]
}
async function device(): Promise<Device> {
  const query = '{ devices { memory { allocatedBytes reservedBytes } residencies { id } } }'
  return (await hearth.ask<{ devices: [Device] }>(query)).devices[0]
}

test('a model that no device could ever hold is refused at once, with the bytes', async () => {
  await startWithDevices({ name: 'tiny', cores: [0], memoryLimitBytes: 64 * mib })
  const answer = await trySubmit(hearth, embeddings(['Too large.']))
  expect(answer).toMatchObject({ __typename: 'ModelTooLargeError', suggestion: expect.any(String) as string })
  expect(answer.neededBytes).toBeGreaterThan(answer.availableBytes ?? Number.POSITIVE_INFINITY)
})

test('models that do not fit together take turns, and every job ends', async () => {
  const limitBytes = 560 * mib
  await startWithDevices({ name: 'small', cores: [0], memoryLimitBytes: limitBytes })
  for (let round = 0; round < 2; round++) {
    for (const input of [embeddings([`Round ${round}.`]), text({ prompt: 'Say yes.', maxTokens: 3 })]) {
      const log = watch(hearth, await submit(hearth, input))
      expect((await log.final()).__typename).toBe('JobSucceeded')
      expect(log.types).toContain('JobLoading')
      const { memory, residencies } = await device()
      expect(residencies).toHaveLength(1)
      expect(memory.allocatedBytes + memory.reservedBytes).toBeLessThanOrEqual(limitBytes)
    }
  }
})

test('jobs of models that do not fit together all end, though they were submitted together', async () => {
  await startWithDevices({ name: 'small', cores: [0], memoryLimitBytes: 560 * mib })
  const pair = [embeddings(['Together.']), text({ prompt: 'Say yes.', maxTokens: 3 })]
  for (const id of await submitAll(hearth, [...pair, ...pair, ...pair])) {
    expect((await watch(hearth, id).final()).__typename).toBe('JobSucceeded')
  }
})

test('declared devices are listed as declared, and each can hold a model', async () => {
  await startWithDevices(
    { name: 'cpu-a', cores: [0], memoryLimitBytes: 600 * mib },
    { name: 'cpu-b', cores: [1], memoryLimitBytes: 700 * mib },
  )
  const { devices } = await hearth.ask<{
    devices: {
      id: string
      name: string
      kind: string
      memory: { limitBytes: number }
      capabilities: { coreCount: number }
    }[]
  }>('{ devices { id name kind memory { limitBytes } capabilities { coreCount } } }')
  expect(devices).toMatchObject([
    { name: 'cpu-a', kind: 'CPU', memory: { limitBytes: 600 * mib }, capabilities: { coreCount: 1 } },
    { name: 'cpu-b', kind: 'CPU', memory: { limitBytes: 700 * mib }, capabilities: { coreCount: 1 } },
  ])
  for (const { id } of devices) {
    await hearth.ask(
      'mutation ($id: ID!) { loadModel(input: { model: "all-minilm-l6-v2", deviceId: $id }) { __typename } }',
      { id },
    )
  }
  await until('the model is on both devices', async () => {
    const { model } = await hearth.ask<{ model: { residencies: { state: string; device: { name: string } }[] } }>(
      '{ model(name: "all-minilm-l6-v2") { residencies { state device { name } } } }',
    )
    const names = model.residencies.filter(({ state }) => state === 'RESIDENT').map(({ device }) => device.name)
    return names.sort().join() === 'cpu-a,cpu-b'
  })
})

test('jobs of one model use every device that holds it', async () => {
  await startWithDevices(
    { name: 'cpu-a', cores: [0], memoryLimitBytes: 600 * mib },
    { name: 'cpu-b', cores: [1], memoryLimitBytes: 600 * mib },
  )
  const { devices } = await hearth.ask<{ devices: { id: string }[] }>('{ devices { id } }')
  for (const { id } of devices) {
    await hearth.ask('mutation ($id: ID!) { loadModel(input: { model: "serial", deviceId: $id }) { __typename } }', {
      id,
    })
  }
  await until('the model is on both devices', async () => {
    const { model } = await hearth.ask<{ model: { residencies: { state: string }[] } }>(
      '{ model(name: "serial") { residencies { state } } }',
    )
    return model.residencies.filter(({ state }) => state === 'RESIDENT').length === 2
  })
  const ids = await submitAll(
    hearth,
    Array.from({ length: 8 }, () => noop({ steps: 10, stepMs: 10 }, { model: 'serial' })),
  )
  for (const id of ids) await watch(hearth, id).final()
  const { nodes } = await hearth.ask<{ nodes: { device: { name: string } }[] }>(
    'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Job { device { name } } } }',
    { ids },
  )
  const names = nodes.map(({ device }) => device.name)
  expect(names.filter((name) => name === 'cpu-a').length).toBeGreaterThan(2)
  expect(names.filter((name) => name === 'cpu-b').length).toBeGreaterThan(2)
})

test('models may come and go at random while their jobs run, and no memory is given out twice', async () => {
  const draw = seededDraws()
  await startWithDevices({ name: 'small', cores: [0, 1], memoryLimitBytes: 600 * mib })
  const enough = new AbortController()
  const inputs = [text({ prompt: 'Say yes.', maxTokens: 4 }), embeddings(['Yes.']), noop({ steps: 5, stepMs: 5 })]
  const clients = inputs.map((input) => submitUntil(enough.signal, input))
  for (let change = 0; change < 40; change++) {
    const model = ['all-minilm-l6-v2', 'smollm2-135m-instruct', 'noop'][draw(0, 3)]
    const mutation = draw(0, 2) === 0 ? 'loadModel' : 'unloadModel'
    await hearth.ask(`mutation { ${mutation}(input: { model: "${model}" }) { __typename } }`)
    const { memory } = await device()
    expect(memory.allocatedBytes + memory.reservedBytes).toBeLessThanOrEqual(600 * mib)
  }
  enough.abort()
  for (const ends of await Promise.all(clients)) expect(new Set(ends)).toEqual(new Set(['JobSucceeded']))
})

async function submitUntil(enough: AbortSignal, input: JobInput): Promise<string[]> {
  const ends: string[] = []
  while (!enough.aborted) ends.push((await watch(hearth, await submit(hearth, input)).final()).__typename)
  return ends
}
