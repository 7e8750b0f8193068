import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { embeddings, submit, text, trySubmit } from '../support/submissions.ts'
import { until } from '../support/until.ts'

const mib = 1024 * 1024

let hearth: Hearth
afterEach(() => hearth.stop())

async function startWithDevices(
  ...devices: readonly { name: string; cores: readonly number[]; memoryLimitBytes: number }[]
): Promise<void> {
  const file = join(await mkdtemp(join(tmpdir(), 'hearth-devices-')), 'devices.json')
  await writeFile(file, JSON.stringify(devices.map((device) => ({ kind: 'cpu', ...device }))))
  hearth = await startHearth({ environment: { HEARTH_DEVICES: file } })
}

test('a model that no device could ever hold is refused at once, with the bytes', async () => {
  await startWithDevices({ name: 'tiny', cores: [0], memoryLimitBytes: 64 * mib })
  const answer = await trySubmit(hearth, embeddings(['Too large.']))
  expect(answer).toMatchObject({ __typename: 'ModelTooLargeError', suggestion: expect.any(String) as string })
  expect(answer.neededBytes).toBeGreaterThan(answer.availableBytes ?? Number.POSITIVE_INFINITY)
})

test('models that do not fit together take turns, and every job ends', async () => {
  await startWithDevices({ name: 'small', cores: [0], memoryLimitBytes: 420 * mib })
  const ids: string[] = []
  for (let round = 0; round < 2; round++) {
    ids.push(await submit(hearth, embeddings([`Round ${round}.`])))
    ids.push(await submit(hearth, text({ prompt: 'Say yes.', maxTokens: 3 })))
  }
  for (const id of ids) expect((await watch(hearth, id).final()).__typename).toBe('JobSucceeded')
  const { devices } = await hearth.ask<{
    devices: { memory: Record<'limitBytes' | 'allocatedBytes' | 'reservedBytes', number> }[]
  }>('{ devices { memory { limitBytes allocatedBytes reservedBytes } } }')
  const { limitBytes, allocatedBytes, reservedBytes } = devices[0]!.memory
  expect(limitBytes).toBe(420 * mib)
  expect(allocatedBytes + reservedBytes).toBeLessThanOrEqual(limitBytes)
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
