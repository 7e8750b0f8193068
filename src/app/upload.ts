/**
 * Taking a file that somebody uploads: what it says it is must be allowed and true, and it becomes an artifact in one step, or leaves nothing.
 */
import type { StoredContent } from '../runtime/artifacts/artifact-files.ts'
import { ArtifactDiskFull, ArtifactTooLarge } from '../runtime/artifacts/errors.ts'
import type { ArtifactRecord } from '../store/records.ts'
import type { AppContext } from './context.ts'
import { Overloaded } from './errors.ts'
import { essenceOf } from './file-names.ts'
import { orOverloaded } from './or-overloaded.ts'
import { BrokenPicture, type PictureHeader } from './pictures/header-reading.ts'
import { isPictureType, pictureTypeOf } from './pictures/picture-header.ts'
import { readStoredPicture } from './pictures/stored-picture.ts'
import { checkSignature, normalised, Refusal, startChecked, UploadRefused } from './upload-content.ts'
import { tooManyPixels } from './validation/data-url.ts'

export interface Upload {
  /** As the client says; null = it says nothing, and the content decides. */
  readonly mimeType: string | null
  /** As the client says; null = unknown. */
  readonly sizeBytes: number | null
  /** What the client expects, lower-case hex; null = nothing. */
  readonly sha256: string | null
}

/** What taking a file needs of the context. */
export type UploadContext = Pick<AppContext, 'config' | 'artifacts' | 'store'> & {
  readonly shell: Pick<AppContext['shell'], 'draining'>
}

const unknownContent = 'application/octet-stream'
/** Parameters that say how to read a file take less. */
const mimeTypeCharsMax = 256
/** Room comes when others have finished. */
const retryWhenBusyMs = 1000
const retryWhenFullMs = 5000

/** Known before a byte is read, so that nobody sends a gigabyte in vain. Null = go on. */
export function refuseUpload(context: UploadContext, upload: Upload): UploadRefused | Overloaded | null {
  const { HEARTH_MAX_UPLOAD_BYTES: sizeBytesMax, HEARTH_UPLOAD_TYPES: types } = context.config
  if (upload.sizeBytes !== null && upload.sizeBytes > sizeBytesMax) return tooLarge(sizeBytesMax)
  if (upload.mimeType !== null && upload.mimeType.length > mimeTypeCharsMax)
    return new UploadRefused('type', `The Content-Type is longer than ${mimeTypeCharsMax} characters.`)
  if (upload.mimeType !== null && !types.includes(essenceOf(upload.mimeType)))
    return new UploadRefused(
      'type',
      `Files of type ${JSON.stringify(upload.mimeType)} are not taken. Send the file itself as the body, with its own type as Content-Type: ${types.join(', ')}.`,
    )
  return noRoom(context, upload.sizeBytes ?? 0)
}

function noRoom({ config, artifacts, shell, store }: UploadContext, sizeBytes: number): Overloaded | null {
  const { HEARTH_MAX_UPLOADS: uploadsMax } = config
  if (shell.draining)
    return new Overloaded('draining', retryWhenBusyMs, 'The server is shutting down; upload when it is back.')
  if (artifacts.uploads >= uploadsMax)
    return new Overloaded('uploads', retryWhenBusyMs, `${uploadsMax} uploads run already; come back in a moment.`)
  const { trouble } = store.metrics
  if (trouble !== null)
    return new Overloaded('storage', retryWhenFullMs, `Nothing can be written at present (${trouble}).`)
  return artifacts.refusal(sizeBytes)
}

/** Rejects with what `source` fails with: the client went away. Then, as after every refusal, nothing is left. */
export async function takeUpload(
  context: UploadContext,
  upload: Upload,
  source: AsyncIterable<Uint8Array>,
): Promise<ArtifactRecord | UploadRefused | Overloaded> {
  const refusal = refuseUpload(context, upload)
  if (refusal) return refusal
  const { artifacts } = context
  artifacts.beginUpload()
  try {
    return await storeUpload(context, upload, source)
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    if (error instanceof ArtifactTooLarge) return tooLarge(error.sizeBytesMax)
    if (error instanceof ArtifactDiskFull)
      return new Overloaded(
        'disk',
        retryWhenFullMs,
        'The disk of the data folder is full but for its reserve (HEARTH_DISK_RESERVE_BYTES); nothing of the file is kept.',
      )
    throw error
  } finally {
    artifacts.endUpload()
  }
}

async function storeUpload(
  context: UploadContext,
  { mimeType, sha256 }: Upload,
  source: AsyncIterable<Uint8Array>,
): Promise<ArtifactRecord | Overloaded> {
  const { artifacts, config } = context
  let start: Uint8Array = new Uint8Array(0)
  const checked = startChecked(source, (bytes) => {
    start = bytes
    if (mimeType !== null) checkSignature(essenceOf(mimeType), bytes)
  })
  const content = await artifacts.files.put(artifacts.withinRoom(checked), {
    sizeBytesMax: config.HEARTH_MAX_UPLOAD_BYTES,
  })
  let isKept = false
  try {
    if (sha256 !== null && sha256 !== content.sha256)
      throw new Refusal('digest', `The file arrived with SHA-256 ${content.sha256}, not ${sha256}; send it again.`)
    const { type, picture } = await inspect(context, content, mimeType, start)
    const record = artifacts.record(content, type, null, picture?.width ?? null, picture?.height ?? null)
    const written = await orOverloaded(context.store.insertArtifact(record))
    isKept = !(written instanceof Overloaded)
    return written
  } finally {
    if (isKept) artifacts.committed([content])
    else await artifacts.discard([content])
  }
}

/** The type that the file gets, and its size in pixels where it is a picture. */
async function inspect(
  context: UploadContext,
  content: StoredContent,
  declared: string | null,
  start: Uint8Array,
): Promise<{ readonly type: string; readonly picture: PictureHeader | null }> {
  const type = declared === null ? (pictureTypeOf(start) ?? unknownContent) : normalised(declared)
  if (!isPictureType(type)) return { type, picture: null }
  try {
    const picture = await readStoredPicture(context.artifacts.files, content.sha256, type)
    const tooLargeWords = tooManyPixels(picture, context.config.HEARTH_MAX_IMAGE_PIXELS)
    if (tooLargeWords === null) return { type, picture }
    throw new Refusal('content', `The picture ${tooLargeWords}`)
  } catch (error) {
    if (!(error instanceof BrokenPicture)) throw error
    // Bytes that happen to begin like a picture are no broken picture unless somebody says that they are one.
    if (declared === null) return { type: unknownContent, picture: null }
    throw new Refusal('content', `The file is no whole ${type}. ${error.message}`)
  }
}

function tooLarge(sizeBytesMax: number): UploadRefused {
  return new UploadRefused('too_large', `The file is larger than ${sizeBytesMax} bytes (HEARTH_MAX_UPLOAD_BYTES).`)
}
