/** What a file is called when somebody saves it: `artifact-12.png`. */
import type { ArtifactRecord } from '../store/records.ts'

const extensions: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/bmp': 'bmp',
  'application/json': 'json',
  'application/vnd.hearth.tensor': 'bin',
  'application/x-npy': 'npy',
  'application/octet-stream': 'bin',
  'text/plain': 'txt',
  'text/csv': 'csv',
}

export function fileNameOf({ id, mimeType }: Pick<ArtifactRecord, 'id' | 'mimeType'>): string {
  return `artifact-${id}.${extensions[essenceOf(mimeType)] ?? 'bin'}`
}

/** A media type without its parameters. */
export function essenceOf(mimeType: string): string {
  const end = mimeType.indexOf(';')
  return (end === -1 ? mimeType : mimeType.slice(0, end)).trim().toLowerCase()
}
