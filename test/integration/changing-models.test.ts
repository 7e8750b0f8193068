/** Files that change under a model: whatever happens to them, a result is that of one content, and of the version that the job names. */
import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adding, ended, submitAdding, trySubmitAdding } from '../support/adding.ts'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { ModelWatch } from '../support/model-watch.ts'
import { addingModel } from '../support/onnx-file.ts'
import { currentVersion, ModelFolder, registered, type Version, versionById } from '../support/registrations.ts'
import { until } from '../support/until.ts'

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

test('a model that somebody wanted loaded is loaded as it is now', async () => {
  const path = await folder.write('wanted/wanted.onnx', addingModel(1))
  const version = await registered(hearth, { path })
  const residencies = async () => {
    const query = '{ model(name: "wanted") { current { sha256 residencies { state } } } }'
    const { model } = await hearth.ask<{
      model: { current: { sha256: string; residencies: readonly { state: string }[] } }
    }>(query)
    return model.current
  }
  await hearth.ask('mutation { loadModel(input: { model: "wanted" }) { __typename } }')
  await until('it is loaded', async () => (await residencies()).residencies.some(({ state }) => state === 'RESIDENT'))
  await writeFile(`${path}.new`, addingModel(2))
  await rename(`${path}.new`, path)
  const current = await until('the new one is loaded', async () => {
    const now = await residencies()
    return now.sha256 !== version.sha256 && now.residencies.some(({ state }) => state === 'RESIDENT') && now
  })
  expect(await adding(hearth, 'wanted')).toMatchObject({ constant: 2, sha256: current.sha256 })
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
