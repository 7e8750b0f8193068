/** Files that change under a model: whatever happens to them, a result is that of one content, and of the version that the job names. */
import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adding, ended, submitAdding, trySubmitAdding } from '../support/adding.ts'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { ModelWatch } from '../support/model-watch.ts'
import { addingModel, addingModelBeside } from '../support/onnx-file.ts'
import { currentVersion, ModelFolder, registered, type Version, versionById } from '../support/registrations.ts'
import { until } from '../support/until.ts'
import { killWorker, listWorkers } from '../support/workers.ts'

let folder: ModelFolder
let hearth: Hearth
beforeAll(async () => {
  folder = await ModelFolder.make()
  hearth = await startHearth({ environment: { ...folder.environment, HEARTH_MODEL_CHECK_MS: '100' } })
})
afterAll(async () => {
  await hearth.stop()
  await folder[Symbol.asyncDispose]()
})

/** A model that has run once, so that its worker holds it. */
async function loaded(name: string, constant: number): Promise<{ path: string; version: Version }> {
  const path = await folder.write(`${name}/${name}.onnx`, addingModel(constant))
  const version = await registered(hearth, { path })
  expect(await adding(hearth, name)).toMatchObject({ state: 'SUCCEEDED', constant, sha256: version.sha256 })
  return { path, version }
}

function changedFrom(name: string, { sha256 }: Version): Promise<Version> {
  return until(`${name} has another version`, async () => {
    const current = await currentVersion(hearth, name)
    return current?.state === 'READY' && current.sha256 !== sha256 && current
  })
}

test('a file replaced by renaming is a new version; the old one is history', async () => {
  const { path, version } = await loaded('renamed', 1)
  await writeFile(`${path}.new`, addingModel(2))
  await rename(`${path}.new`, path)
  const next = await changedFrom('renamed', version)
  expect(await adding(hearth, 'renamed')).toMatchObject({ state: 'SUCCEEDED', constant: 2, sha256: next.sha256 })
  const old = await versionById(hearth, version.id)
  expect(old).toMatchObject({ state: 'REMOVED', sha256: version.sha256, inputs: version.inputs })
  expect(old?.problem).toContain(next.version)
  const refused = await trySubmitAdding(hearth, `renamed@${version.version}`)
  expect(refused).toMatchObject({ __typename: 'ConflictError' })
  expect(refused.message).toContain(next.version)
})

test('what nobody will use any more is let go, with the files that it kept open', async () => {
  const { path, version } = await loaded('letgo', 1)
  await writeFile(`${path}.new`, addingModel(2))
  await rename(`${path}.new`, path)
  await changedFrom('letgo', version)
  const query = 'query ($id: ID!) { node(id: $id) { ... on ModelVersion { residencies { state } } } }'
  await until('it is resident nowhere', async () => {
    const { node } = await hearth.ask<{ node: { residencies: unknown[] } }>(query, { id: version.id })
    return node.residencies.length === 0
  })
  expect(await adding(hearth, 'letgo')).toMatchObject({ state: 'SUCCEEDED', constant: 2 })
})

test('a file overwritten in place under a loaded model never gives a mixture, nor what it was before', async () => {
  const { path, version } = await loaded('overwritten', 1)
  const jobs = await Promise.all(Array.from({ length: 20 }, () => submitAdding(hearth, 'overwritten')))
  await writeFile(path, addingModel(2))
  // Submitted between the change and its discovery: for the version that is known then.
  jobs.push(...(await Promise.all(Array.from({ length: 20 }, () => submitAdding(hearth, 'overwritten')))))
  const next = await changedFrom('overwritten', version)
  const constantOf = new Map([
    [version.sha256, 1],
    [next.sha256, 2],
  ])
  for (const result of await Promise.all(jobs.map((id) => ended(hearth, id)))) {
    if (result.state === 'FAILED') expect(result.error?.code).toBe('MODEL_VERSION_GONE')
    else expect(result.constant).toBe(constantOf.get(result.sha256))
  }
  expect(await adding(hearth, 'overwritten')).toMatchObject({ state: 'SUCCEEDED', constant: 2, sha256: next.sha256 })
})

test('a file that is touched, or written again with the same content, stays the same version', async () => {
  const { path, version } = await loaded('touched', 1)
  await utimes(path, new Date(), new Date())
  expect(await adding(hearth, 'touched')).toMatchObject({ state: 'SUCCEEDED', constant: 1, sha256: version.sha256 })
  await writeFile(path, await readFile(path))
  expect(await adding(hearth, 'touched')).toMatchObject({ state: 'SUCCEEDED', constant: 1, sha256: version.sha256 })
  expect(await currentVersion(hearth, 'touched')).toMatchObject({ id: version.id, state: 'READY' })
})

test('a file that is removed ends its model; put back, it is the same version again', async () => {
  const { path, version } = await loaded('removed', 1)
  await rename(path, `${path}.away`)
  await until('it is gone', async () => (await currentVersion(hearth, 'removed'))?.state === 'REMOVED')
  const refused = await trySubmitAdding(hearth, 'removed')
  expect(refused).toMatchObject({ __typename: 'ConflictError', message: expect.stringContaining('not here') as string })
  const events = new ModelWatch(hearth, 'removed')
  await rename(`${path}.away`, path)
  await until('it is back', async () => (await currentVersion(hearth, 'removed'))?.state === 'READY')
  expect(await adding(hearth, 'removed')).toMatchObject({ state: 'SUCCEEDED', constant: 1, sha256: version.sha256 })
  await events.hangUp()
  await rm(path)
})

test('a file overwritten by something that is no model is refused, with the reason', async () => {
  const { path, version } = await loaded('ruined', 1)
  await writeFile(path, 'nothing of the kind')
  const gone = await until('it is gone', async () => {
    const current = await currentVersion(hearth, 'ruined')
    return current?.state === 'REMOVED' && current
  })
  expect(gone.problem).toContain('cannot be used')
  await writeFile(path, addingModel(1))
  await until('it is back', async () => (await currentVersion(hearth, 'ruined'))?.state === 'READY')
  expect(await currentVersion(hearth, 'ruined')).toMatchObject({ id: version.id })
  expect(await adding(hearth, 'ruined')).toMatchObject({ state: 'SUCCEEDED', constant: 1 })
})

describe('a model that somebody wanted loaded', () => {
  /** A version whose file lies at `path`, and that was loaded because somebody asked for it. */
  async function wanted(name: string): Promise<{ path: string; version: Version }> {
    const path = await folder.write(`${name}/${name}.onnx`, addingModel(1))
    const version = await registered(hearth, { path })
    await hearth.ask('mutation ($model: String!) { loadModel(input: { model: $model }) { __typename } }', {
      model: name,
    })
    await isLoaded(name, version.sha256)
    return { path, version }
  }
  function isLoaded(name: string, sha256: string): Promise<unknown> {
    return until(`${name} is loaded`, async () => {
      const current = await residencies(name)
      return current.sha256 === sha256 && current.residencies.some(({ state }) => state === 'RESIDENT')
    })
  }
  async function residencies(name: string, of = hearth): Promise<{ sha256: string; residencies: { state: string }[] }> {
    const query = 'query ($name: String!) { model(name: $name) { current { sha256 residencies { state } } } }'
    const { model } = await of.ask<{ model: { current: Awaited<ReturnType<typeof residencies>> } }>(query, { name })
    return model.current
  }
  async function replace(path: string, content: string | Uint8Array): Promise<void> {
    await writeFile(`${path}.new`, content)
    await rename(`${path}.new`, path)
  }

  test('is loaded as it is now', async () => {
    const { path, version } = await wanted('wanted')
    await replace(path, addingModel(2))
    const { sha256 } = await changedFrom('wanted', version)
    await isLoaded('wanted', sha256)
    expect(await adding(hearth, 'wanted')).toMatchObject({ constant: 2, sha256 })
  })

  test('is loaded when its file is back', async () => {
    const { path, version } = await wanted('gone')
    // Written over, so that nothing stays loaded.
    await writeFile(path, 'nothing')
    await until('it is gone', async () => (await currentVersion(hearth, 'gone'))?.state === 'REMOVED')
    for (const worker of await listWorkers(hearth)) killWorker(worker)
    await until('it is nowhere', async () => (await residencies('gone')).residencies.length === 0)
    await replace(path, addingModel(1))
    await isLoaded('gone', version.sha256)
  })

  test('is loaded as it is once it can be again', async () => {
    const { path, version } = await wanted('broken')
    await replace(path, addingModelBeside('missing.bin'))
    await until('it is refused', async () => (await currentVersion(hearth, 'broken'))?.state === 'REFUSED')
    await replace(path, addingModel(3))
    await isLoaded('broken', (await changedFrom('broken', version)).sha256)
  })

  test('is loaded by the next server as that finds it', async () => {
    await using own = await ModelFolder.make()
    const path = await own.write('waiting.onnx', addingModel(1))
    const dataDir = join(own.path, 'data')
    const environment = own.environment
    const first = await startHearth({ dataDir, environment })
    const former = await registered(first, { path })
    await first.ask('mutation { loadModel(input: { model: "waiting" }) { __typename } }')
    await first.stop()
    await replace(path, addingModel(2))
    const second = await startHearth({ dataDir, environment })
    await until('it is loaded', async () =>
      (await residencies('waiting', second)).residencies.some(({ state }) => state === 'RESIDENT'),
    )
    expect(await versionById(second, former.id)).toMatchObject({
      state: 'REMOVED',
      problem: 'Its files were gone, or others, when the server started.',
    })
    await second.stop()
  })
})

test('jobs go on while their file is replaced again and again, each on the version that it names', async () => {
  const { path } = await loaded('restless', 0)
  const constantOf = new Map<string, number>()
  const ids: string[] = []
  const note = async (constant: number) => {
    const current = await until('it is current', async () => {
      const version = await currentVersion(hearth, 'restless')
      return version?.state === 'READY' && !constantOf.has(version.sha256) && version
    })
    constantOf.set(current.sha256, constant)
    ids.push(current.id)
  }
  await note(0)
  const jobs: string[] = []
  for (let constant = 1; constant <= 7; constant += 1) {
    jobs.push(...(await Promise.all(Array.from({ length: 10 }, () => submitAdding(hearth, 'restless')))))
    await writeFile(`${path}.new`, addingModel(constant))
    await rename(`${path}.new`, path)
    await note(constant)
  }
  for (const result of await Promise.all(jobs.map((id) => ended(hearth, id)))) {
    if (result.state === 'FAILED') expect(result.error?.code).toBe('MODEL_VERSION_GONE')
    else expect(result.constant).toBe(constantOf.get(result.sha256))
  }
  expect((await adding(hearth, 'restless')).constant).toBe(7)
  // However many there were, each stays readable.
  const states = await Promise.all(ids.map(async (id) => (await versionById(hearth, id))?.state))
  expect(states).toEqual([...Array<string>(7).fill('REMOVED'), 'READY'])
})
