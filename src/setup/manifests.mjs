/** Reads, of the manifests in models/, what set-up needs: which files belong there and which packages hold them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetUpFailure } from './failure.mjs'
import { fromRoot } from './paths.mjs'

/**
 * @typedef {object} ModelFile
 * @property {string} path absolute
 * @property {string} name path inside the model's folder
 * @property {string} sha256
 * @property {number} sizeBytes
 */
/**
 * @typedef {object} PackageSource
 * @property {string} package
 * @property {string} version
 * @property {string} sha256 of the package itself
 * @property {number} sizeBytes of the package itself
 * @property {string} file path inside the package
 * @property {string} to path inside the model's folder
 */
/** @typedef {{ name: string, files: ModelFile[], source: PackageSource[] }} StarterModel */
/** @typedef {{ path: string, sha256: string, sizeBytes: number }} ListedFile */
/** @typedef {{ name: string, components: { files: ListedFile[] }[], source?: PackageSource[] }} Manifest */

/**
 * Named, because other folders are somebody's own, perhaps copied from one of these; the server looks after them. A model
 * that has files of another one comes after it.
 */
const STARTER_MODELS = ['all-minilm-l6-v2', 'open-nsfw', 'smollm2-135m-instruct', 'ember', 'ember-upscaler']

/** The models that come with the project; their manifests name the packages that their files are in. Throws SetUpFailure. */
export function starterModels(folder = fromRoot('models')) {
  return STARTER_MODELS.flatMap((name) => starterModelIn(join(folder, name)))
}

/**
 * @param {string} folder
 * @returns {StarterModel[]}
 */
function starterModelIn(folder) {
  const manifest = readManifest(join(folder, 'model.json'))
  // Somebody has described it anew, with files of his own.
  if (manifest.source === undefined) return []
  const files = manifest.components.flatMap((component) =>
    component.files.map(({ path: name, sha256, sizeBytes }) => ({ path: join(folder, name), name, sha256, sizeBytes })),
  )
  return [{ name: manifest.name, files, source: manifest.source }]
}

/**
 * @param {string} path
 * @returns {Manifest}
 */
function readManifest(path) {
  try {
    return /** @type {Manifest} */ (JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new SetUpFailure(
      `${path} is missing or damaged.`,
      `It is part of the repository. Restore it: git checkout -- ${path}`,
      { cause },
    )
  }
}
