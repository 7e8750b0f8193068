/** The identity of a version: what it computes, and so its manifest and the content of its files. */
import { createHash } from 'node:crypto'
import type { InspectedComponent } from './inspect-files.ts'
import type { Manifest } from './manifest.ts'
import type { VerifiedComponent, VerifiedFile } from './verify-files.ts'

/**
 * SHA-256 over the manifest as canonical JSON and the digests of the files as they were measured, lower-case hex. Where the files came from
 * (`source`) does not count. A file that could not be read counts as such, so that a damaged copy is never taken for the version itself.
 */
export function versionDigest(manifest: Manifest, components: readonly VerifiedComponent[]): string {
  const { source, ...content } = manifest
  return digestOf([
    canonicalJson(content),
    ...components.flatMap(({ name, files }) => files.map((file) => `${name} ${fileLine(file)}`)),
  ])
}

/** Stands for the digest of a version whose files are still being read: over the manifest and what tells the files apart. Never equal to a digest. */
export function provisionalDigest(manifest: Manifest, components: readonly InspectedComponent[]): string {
  return digestOf([
    'files not read yet',
    canonicalJson(manifest),
    ...components.flatMap(({ files }) => files.map(({ path, identity }) => `${path} ${canonicalJson(identity)}`)),
  ])
}

/** SHA-256 over roles and digests of a component's files, lower-case hex: equal for equal components, whatever their files are called. */
export function componentDigest(files: readonly VerifiedFile[]): string {
  return digestOf(files.map((file) => `${file.role ?? ''} ${contentOf(file)}`))
}

function fileLine(file: VerifiedFile): string {
  return `${contentOf(file)} ${file.path}`
}

function contentOf({ sha256, sizeBytes }: VerifiedFile): string {
  return sha256 ?? `unreadable of ${sizeBytes} bytes`
}

function digestOf(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}

/** JSON with the keys of every object in order and no spaces, so that equal content gives equal text. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(',')}}`
}
