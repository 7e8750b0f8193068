import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { ModelWatch } from '../support/model-watch.ts'
import { embeddings, errorFields, type MutationError, submit, text } from '../support/submissions.ts'
import { until } from '../support/until.ts'

const minilm = 'all-minilm-l6-v2'
const smollm = 'smollm2-135m-instruct'
/** Of its weight files, as the manifest says. */
const minilmWeightsBytes = 90_868_376

interface Residency {
  readonly id: string
  readonly tier: string
  readonly state: string
  readonly sizeBytes: number
  readonly loadedAt: string | null
  readonly device: { readonly id: string }
  readonly components: readonly {
    readonly name: string
    readonly version: { readonly model: { readonly name: string } }
  }[]
}
interface Device {
  readonly id: string
  readonly memory: Readonly<
    Record<
      'totalBytes' | 'limitBytes' | 'reservedBytes' | 'allocatedBytes' | 'availableBytes' | 'externalBytes',
      number
    >
  >
  readonly residencies: readonly Residency[]
}
type LoadAnswer = { readonly model?: { readonly name: string } } & Partial<MutationError>

const residencyFields = 'id tier state sizeBytes loadedAt device { id } components { name version { model { name } } }'

let hearth: Hearth
beforeAll(async () => {
  hearth = await startHearth()
})
afterAll(() => hearth.stop())

async function load(input: { model: string; deviceId?: string; component?: string }): Promise<LoadAnswer> {
  const mutation = `mutation ($input: LoadModelInput!) { loadModel(input: $input) { ... on LoadModelSuccess { model { name } } ${errorFields} } }`
  return (await hearth.ask<{ loadModel: LoadAnswer }>(mutation, { input })).loadModel
}
async function unload(input: { model: string; deviceId?: string }): Promise<LoadAnswer> {
  const mutation = `mutation ($input: UnloadModelInput!) { unloadModel(input: $input) { ... on UnloadModelSuccess { model { name } } ${errorFields} } }`
  return (await hearth.ask<{ unloadModel: LoadAnswer }>(mutation, { input })).unloadModel
}
async function device(): Promise<Device> {
  const { devices } = await hearth.ask<{ devices: Device[] }>(
    `{ devices { id memory { totalBytes limitBytes reservedBytes allocatedBytes availableBytes externalBytes } residencies { ${residencyFields} } } }`,
  )
  return devices[0]!
}
async function residenciesOf(model: string): Promise<readonly Residency[]> {
  return (
    await hearth.ask<{ model: { residencies: Residency[] } }>(
      `query ($model: String!) { model(name: $model) { residencies { ${residencyFields} } } }`,
      { model },
    )
  ).model.residencies
}
const resident = (model: string) =>
  until(`${model} is resident`, async () => (await residenciesOf(model)).find(({ state }) => state === 'RESIDENT'))
const gone = (model: string) => until(`${model} is gone`, async () => (await residenciesOf(model)).length === 0)

test('a model that is loaded is seen in events, residencies and the memory of its device, and unloading takes it back', async () => {
  await gone(minilm)
  const before = await device()
  const events = new ModelWatch(hearth, minilm)
  // The subscription stands once a first change has come through it.
  await load({ model: minilm })
  await resident(minilm)
  await unload({ model: minilm })
  await gone(minilm)

  expect((await load({ model: minilm })).model).toEqual({ name: minilm })
  const residency = await resident(minilm)
  expect(residency).toMatchObject({ tier: 'DEVICE', device: { id: before.id }, loadedAt: expect.any(String) as string })
  expect(residency.components).toEqual([{ name: 'text-encoder', version: { model: { name: minilm } } }])
  const loaded = await device()
  expect(loaded.residencies.map(({ id }) => id)).toContain(residency.id)
  expect(loaded.memory.allocatedBytes - before.memory.allocatedBytes).toBeGreaterThan(minilmWeightsBytes)

  await unload({ model: minilm })
  await gone(minilm)
  await until(
    'its memory is given back',
    async () => loaded.memory.allocatedBytes - (await device()).memory.allocatedBytes > minilmWeightsBytes,
  )
  await until('the last residency has ended', () =>
    events.events.some(({ residencyId }) => residencyId === residency.id),
  )
  expect(events.story.slice(-3)).toEqual(['RESIDENT', 'EVICTING', 'ended'])
  await events.hangUp()
})

test('the books of a device balance, whatever is loaded', async () => {
  await load({ model: minilm })
  await resident(minilm)
  const { totalBytes, limitBytes, reservedBytes, allocatedBytes, availableBytes, externalBytes } = (await device())
    .memory
  expect(availableBytes).toBe(limitBytes - allocatedBytes - reservedBytes - externalBytes)
  expect(limitBytes).toBeLessThanOrEqual(totalBytes)
  for (const bytes of [reservedBytes, allocatedBytes, availableBytes, externalBytes])
    expect(bytes).toBeGreaterThanOrEqual(0)
})

test('a model that is loaded already is loaded again without effect', async () => {
  await load({ model: minilm })
  const first = await resident(minilm)
  expect((await load({ model: minilm, deviceId: first.device.id })).model).toEqual({ name: minilm })
  await watch(hearth, await submit(hearth, embeddings(['Still here.']))).final()
  expect((await residenciesOf(minilm)).map(({ id }) => id)).toEqual([first.id])
})

test('a job of a model that is loaded starts without loading; one of a model that is not says so', async () => {
  await load({ model: minilm })
  await resident(minilm)
  const warm = watch(hearth, await submit(hearth, embeddings(['Warm.'])))
  await warm.final()
  expect(warm.types).not.toContain('JobLoading')
  await unload({ model: minilm })
  await gone(minilm)
  const cold = watch(hearth, await submit(hearth, embeddings(['Cold.'])))
  await cold.final()
  expect(cold.types.slice(0, 3)).toEqual(['JobQueued', 'JobLoading', 'JobStarted'])
})

test('unloading waits for running work', async () => {
  const log = watch(hearth, await submit(hearth, text({ prompt: 'Write a long story.', maxTokens: 80 })))
  await log.event('TextDelta')
  expect((await unload({ model: smollm })).model).toEqual({ name: smollm })
  const { __typename } = await log.final()
  expect(__typename).toBe('JobSucceeded')
  expect(log.types).not.toContain('JobRequeued')
  await gone(smollm)
})

test('several models live side by side', async () => {
  await load({ model: minilm })
  await load({ model: smollm })
  await Promise.all([resident(minilm), resident(smollm)])
  const names = (await device()).residencies.flatMap(({ components }) =>
    components.map(({ version }) => version.model.name),
  )
  expect(names).toEqual(expect.arrayContaining([minilm, smollm]))
})

test('a version may be named, and an unknown one is not found', async () => {
  const { model } = await hearth.ask<{ model: { current: { version: string } } }>(
    `{ model(name: "${minilm}") { current { version } } }`,
  )
  expect(model.current.version).toMatch(/^[0-9a-f]{12}$/)
  expect((await load({ model: `${minilm}@${model.current.version}` })).model).toEqual({ name: minilm })
  const wrong = `${minilm}@000000000000`
  expect(await load({ model: wrong })).toMatchObject({ __typename: 'NotFoundError', kind: 'Model', reference: wrong })
  expect(await unload({ model: wrong })).toMatchObject({ __typename: 'NotFoundError', kind: 'Model', reference: wrong })
})

test('what cannot be loaded is refused with the reason', async () => {
  expect(await load({ model: 'nowhere' })).toMatchObject({
    __typename: 'NotFoundError',
    kind: 'Model',
    reference: 'nowhere',
  })
  const device = { model: minilm, deviceId: 'nonsense' }
  expect(await load(device)).toMatchObject({ __typename: 'InvalidInputError', fields: [{ path: 'deviceId' }] })
  expect(await unload(device)).toMatchObject({ __typename: 'NotFoundError', kind: 'Device', reference: 'nonsense' })
  const component = await load({ model: minilm, component: 'decoder' })
  expect(component).toMatchObject({ __typename: 'InvalidInputError', fields: [{ path: 'component' }] })
  expect(component.fields?.[0]?.message).toContain('text-encoder')
})
