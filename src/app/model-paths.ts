/** Where models may be registered from: below the model folders, links followed. */
import { realpath } from 'node:fs/promises'
import { isAbsolute, join, resolve, sep } from 'node:path'
import { InvalidInput, NotFound } from './errors.ts'

/** Absolute, as asked for: links in it are followed anew whenever it is read. A relative path begins at one of the folders. */
export async function locateModel(path: string, folders: readonly string[]): Promise<string | InvalidInput | NotFound> {
  if (path === '' || path.includes('\0')) return outside(folders)
  const wanted = isAbsolute(path) ? [resolve(path)] : folders.map((folder) => join(folder, path))
  const roots = await realFolders(folders)
  for (const candidate of wanted) {
    const real = await realpath(candidate).catch(() => null)
    if (real === null) continue
    // Whether something lies outside is told to nobody: it is refused as if nothing did.
    return roots.some((root) => isBelow(real, root)) ? candidate : outside(folders)
  }
  const mayBeInside = wanted.some((candidate) => [...folders, ...roots].some((root) => isBelow(candidate, root)))
  if (!mayBeInside) return outside(folders)
  return new NotFound('Model file', path, `There is no file or folder ${path}; looked for: ${wanted.join(', ')}.`)
}

async function realFolders(folders: readonly string[]): Promise<string[]> {
  const real = await Promise.all(folders.map((folder) => realpath(folder).catch(() => null)))
  return real.filter((folder) => folder !== null)
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
}

function outside(folders: readonly string[]): InvalidInput {
  const message = `must lie below one of the model folders: ${folders.join(', ')}. HEARTH_MODEL_PATHS names them.`
  return new InvalidInput([{ path: 'path', message }])
}
