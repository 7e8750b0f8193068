/**
 * The key that signs addresses of artifacts: made once per data folder, readable by its owner alone. A new one makes old addresses invalid, so it is
 * made only where there is none, or where what is there cannot be one.
 */
import { randomBytes } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'

const keyBytes = 32

export async function readSigningKey(path: string): Promise<Buffer> {
  const known = await readFile(path).catch(nullIfMissing)
  if (known?.byteLength === keyBytes) return known
  const key = randomBytes(keyBytes)
  const temporary = `${path}.${process.pid}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(key)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  return key
}

function nullIfMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
  throw error
}
