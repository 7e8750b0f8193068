/**
 * The layer rule: imports point downwards. LAYERS is the picture of DESIGN.md as a table; a folder that is not in it
 * may not exist. Cycles between files are the linter's business (import/no-cycle).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'

/**
 * @typedef {object} Layer
 * @property {string} path folder or file it consists of; the longest that fits a file is the file's layer
 * @property {string[]} values layers, or single files of layers, it may import from
 * @property {string[]} types layers, or single files of layers, it may name in `import type` only
 * @property {'any' | 'built-ins' | 'none'} packages what it may import from outside the repository
 */

/** @type {readonly Layer[]} */
export const LAYERS = [
  layer('src/main.ts', ['src/app', 'src/config', 'src/runtime', 'src/scheduler', 'src/server', 'src/store', 'schema']),
  layer('src/server', ['src/app', 'src/config', 'schema']),
  layer('schema', ['src/app'], ['src/scheduler', 'src/store']),
  layer('src/app', ['src/config', 'src/forecast', 'src/runtime', 'src/scheduler', 'src/store', 'package.json']),
  layer('src/runtime', ['src/config'], ['src/scheduler']),
  layer('src/store', [], ['src/scheduler']),
  layer('src/simulator', ['src/scheduler', 'src/forecast']),
  layer('src/forecast', [], [], 'none'),
  layer('src/scheduler', [], [], 'none'),
  layer('src/cli/print-schema.ts', ['src/config', 'schema']),
  layer('src/cli', ['src/config']),
  layer('src/config', []),
  layer('src/setup', [], [], 'built-ins'),
]

/** @typedef {{ specifier: string, isTypeOnly: boolean }} Import */

/**
 * Every breach of the rule in the repository at `root`, one sentence each.
 * @param {string} root
 * @returns {string[]}
 */
export function findBreaches(root) {
  return sourceFiles(root).flatMap((file) => breachesOf(file, readFileSync(join(root, file), 'utf8')))
}

/**
 * @param {string} file path from the root, with forward slashes
 * @param {string} source
 * @returns {string[]}
 */
export function breachesOf(file, source) {
  const layer = layerOf(file)
  if (layer === undefined) return [`${file} belongs to no layer; add its folder to src/setup/layers.mjs.`]
  const barrel = basename(file).startsWith('index.') ? [`${file} is a barrel file; import from where things are.`] : []
  const imports = importsOf(source)
    .filter((imported) => !isAllowed(layer, file, imported))
    .map(({ specifier, isTypeOnly }) => `${file} imports ${isTypeOnly ? 'types of ' : ''}${specifier}`)
  return [...barrel, ...imports]
}

/**
 * The import and re-export statements and the import() calls of a source text.
 * @param {string} source
 * @returns {Import[]}
 */
export function importsOf(source) {
  const statements = source.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)
  const calls = source.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)(?!\.\w)/g)
  return [
    ...Array.from(statements, ([, type, specifier = '']) => ({ specifier, isTypeOnly: type !== undefined })),
    ...Array.from(calls, ([, specifier = '']) => ({ specifier, isTypeOnly: false })),
  ]
}

/**
 * @param {Layer} layer
 * @param {string} file
 * @param {Import} imported
 */
function isAllowed(layer, file, { specifier, isTypeOnly }) {
  if (!specifier.startsWith('.')) return isAllowedPackage(layer, specifier)
  const target = join(dirname(file), specifier).split(sep).join('/')
  if (layerOf(target) === layer) return true
  const allowed = isTypeOnly ? [...layer.values, ...layer.types] : layer.values
  return allowed.some((path) => isWithin(target, path))
}

/**
 * @param {Layer} layer
 * @param {string} specifier
 */
function isAllowedPackage(layer, specifier) {
  return layer.packages === 'any' || (layer.packages === 'built-ins' && specifier.startsWith('node:'))
}

/** @param {string} file */
function layerOf(file) {
  return LAYERS.find((layer) => isWithin(file, layer.path))
}

/**
 * @param {string} file
 * @param {string} path
 */
function isWithin(file, path) {
  return file === path || file.startsWith(`${path}/`)
}

/** @param {string} root */
function sourceFiles(root) {
  return ['src', 'schema'].flatMap((folder) =>
    readdirSync(resolve(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|mts|js|mjs)$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort(),
  )
}

/**
 * @param {string} path
 * @param {string[]} values
 * @param {string[]} [types]
 * @param {Layer['packages']} [packages]
 * @returns {Layer}
 */
function layer(path, values, types = [], packages = 'any') {
  return { path, values, types, packages }
}
