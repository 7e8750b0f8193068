/** Reading an artifact by its signed address. */
import type { FileHandle } from 'node:fs/promises'
import type { ArtifactId, ArtifactRecord } from '../store/records.ts'
import type { AppContext } from './context.ts'

export interface ArtifactAddress {
  readonly id: ArtifactId
  /** Unix seconds. */
  readonly expires: number
  readonly signature: string
}
export interface OpenedArtifact {
  readonly record: ArtifactRecord
  /** Whoever takes it closes it. It can be read to its end, whatever is removed meanwhile. */
  readonly file: FileHandle
}

/** The signature is looked at first: who has none learns nothing about what is there. */
export async function openArtifact(
  { artifacts, clock }: Pick<AppContext, 'artifacts' | 'clock'>,
  { id, expires, signature }: ArtifactAddress,
): Promise<OpenedArtifact | 'wrong' | 'expired' | 'gone'> {
  const check = artifacts.urls.check(id, expires, signature, clock.now())
  if (check !== 'valid') return check
  const record = await artifacts.find(id)
  const file = record && (await artifacts.files.openForReading(record.sha256))
  return record && file ? { record, file } : 'gone'
}
