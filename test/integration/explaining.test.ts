import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dataFolder } from '../support/data-folder.ts'
import type { Hearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { startServer } from '../support/servers.ts'
import { embeddings, errorFields, submit, text } from '../support/submissions.ts'
import { subscribe } from '../support/subscriptions.ts'
import { until } from '../support/until.ts'

const mib = 1024 * 1024
const minilm = 'all-minilm-l6-v2'
const smollm = 'smollm2-135m-instruct'

interface Decision {
  readonly id: string
  readonly kind: string
  readonly reason: string
  readonly job: { readonly id: string } | null
  readonly model: { readonly name: string } | null
  readonly device: { readonly name: string } | null
  readonly alternatives: readonly {
    readonly summary: string
    readonly chosen: boolean
    readonly parts: readonly { readonly name: string; readonly value: number; readonly unit: string | null }[]
  }[]
}
const decisionFields =
  'id kind reason job { id } model { name } device { name } alternatives { summary chosen parts { name value unit } }'

async function decisionsOf(hearth: Hearth, filter: object): Promise<readonly Decision[]> {
  const query = `query ($filter: DecisionFilter) { decisions(filter: $filter) { nodes { ${decisionFields} } } }`
  return (await hearth.ask<{ decisions: { nodes: Decision[] } }>(query, { filter })).decisions.nodes
}

async function change(hearth: Hearth, name: 'pinModel' | 'prewarmModel', input: object) {
  const inputType = name === 'pinModel' ? 'PinModelInput' : 'PrewarmModelInput'
  const success = name === 'pinModel' ? 'PinModelSuccess { model { name } }' : 'PrewarmModelSuccess { accepted reason }'
  const mutation = `mutation ($input: ${inputType}!) { ${name}(input: $input) { __typename ... on ${success} ${errorFields} } }`
  return (await hearth.ask<Record<string, { __typename: string; reason?: string }>>(mutation, { input }))[name]!
}

async function pinnedModels(hearth: Hearth): Promise<readonly string[]> {
  const query = '{ models(filter: { pinned: true }) { nodes { name } } }'
  const { models } = await hearth.ask<{ models: { nodes: { name: string }[] } }>(query)
  return models.nodes.map(({ name }) => name)
}

async function residentModels(hearth: Hearth): Promise<readonly { readonly name: string; readonly pinned: boolean }[]> {
  const query = '{ models { nodes { name residencies { state pinned } } } }'
  interface Model {
    readonly name: string
    readonly residencies: readonly { readonly state: string; readonly pinned: boolean }[]
  }
  const { models } = await hearth.ask<{ models: { nodes: Model[] } }>(query)
  return models.nodes.flatMap(({ name, residencies }) =>
    residencies.filter(({ state }) => state === 'RESIDENT').map(({ pinned }) => ({ name, pinned })),
  )
}

/** A device that holds one of the two models at a time. */
async function start(dataDir: string): Promise<Hearth> {
  const file = join(await mkdtemp(join(tmpdir(), 'hearth-devices-')), 'devices.json')
  await writeFile(file, JSON.stringify([{ kind: 'cpu', name: 'small', cores: [0], memoryLimitBytes: 560 * mib }]))
  return startServer({ dataDir, environment: { HEARTH_DEVICES: file } })
}

test('who was evicted and why, what was lent, and what is pinned is told, and told again after a restart', async () => {
  const dataDir = await dataFolder()
  const first = await start(dataDir)
  const live: Decision[] = []
  const hangUp = new AbortController()
  const query = `subscription { decisions(filter: { kinds: [EVICT] }) { ${decisionFields} } }`
  const ended = (async () => {
    for await (const { data } of subscribe<{ decisions: Decision }>(first, 'WebSocket', { query }, hangUp.signal))
      if (data) live.push(data.decisions)
  })()

  expect((await watch(first, await submit(first, embeddings(['One.']))).final()).__typename).toBe('JobSucceeded')
  const writing = await submit(first, text({ prompt: 'Say yes.', maxTokens: 3 }))
  expect((await watch(first, writing).final()).__typename).toBe('JobSucceeded')

  const evictions = await decisionsOf(first, { kinds: ['EVICT'], model: minilm })
  expect(evictions).toMatchObject([{ model: { name: minilm }, device: { name: 'small' } }])
  expect(evictions[0]!.reason).toContain(minilm)
  expect(evictions[0]!.reason).toContain(smollm)
  await until('the eviction is told live', () => live.some(({ id }) => id === evictions[0]!.id))
  expect(await decisionsOf(first, { jobId: writing })).toContainEqual(
    expect.objectContaining({ kind: 'ADMIT', job: { id: writing } }),
  )

  expect((await change(first, 'pinModel', { model: minilm })).__typename).toBe('PinModelSuccess')
  await until('the pinned model is resident', async () =>
    (await residentModels(first)).some(({ name, pinned }) => name === minilm && pinned),
  )
  expect(await pinnedModels(first)).toEqual([minilm])
  // It has no room beside what is pinned.
  const hint = await change(first, 'prewarmModel', { model: smollm, withinSeconds: 5 })
  expect(hint).toMatchObject({ __typename: 'PrewarmModelSuccess', accepted: false })
  expect(hint.reason).toMatch(/have the memory; .* is loaded should some become free within/)
  expect((await residentModels(first)).map(({ name }) => name)).toEqual([minilm])
  hangUp.abort()
  await ended
  expect(await first.stop()).toBe(0)

  const second = await start(dataDir)
  await until('what is pinned is loaded', async () =>
    (await residentModels(second)).some(({ name, pinned }) => name === minilm && pinned),
  )
  expect(await pinnedModels(second)).toEqual([minilm])
  expect(await decisionsOf(second, { kinds: ['EVICT'], model: minilm })).toEqual(evictions)
  const past = '{ allocations(filter: { states: [RELEASED] }) { nodes { purpose releasedAt sizeBytes } totalCount } }'
  const { allocations } = await second.ask<{ allocations: { nodes: object[]; totalCount: number } }>(past)
  expect(allocations.totalCount).toBeGreaterThan(0)
  expect(allocations.nodes).toContainEqual(
    expect.objectContaining({ purpose: 'WEIGHTS', releasedAt: expect.any(String) }),
  )
  expect((await change(second, 'pinModel', { model: minilm, pinned: false })).__typename).toBe('PinModelSuccess')
  expect(await pinnedModels(second)).toEqual([])
})
