/** Pictures that tasks take: a file, or a small one inside the request. Nothing is decoded here; headers say what a picture is. */
import type { ImageInput } from '../app.ts'
import { isPictureType } from '../pictures/picture-header.ts'
import { readDataUrl, tooManyPixels } from './data-url.ts'
import { artifactOf, type InputArtifacts, type StoredArtifact, stored } from './input-artifacts.ts'
import type { Problems } from './problems.ts'

/** The accepted picture: exactly one is set. */
export interface ImageRequest {
  readonly artifact?: StoredArtifact
  readonly dataUrl?: string
}
export interface ImageSize {
  readonly width: number
  readonly height: number
}
export interface AcceptedImage {
  readonly image: ImageRequest
  /** Null where it is not known: then its decoder refuses what is too large. */
  readonly size: ImageSize | null
}

/** `path`: of the field that holds the picture. */
export function normaliseImage(
  path: string,
  { artifactId, dataUrl }: ImageInput,
  artifacts: InputArtifacts,
  pixelsMax: number,
  problems: Problems,
): AcceptedImage {
  if (artifactId != null) return pictureFile(`${path}.artifactId`, artifactId, artifacts, pixelsMax, problems)
  const picture = readDataUrl(dataUrl ?? '', pixelsMax)
  const isPicture = typeof picture !== 'string'
  if (!isPicture) problems.add(`${path}.dataUrl`, picture)
  return { image: { dataUrl: dataUrl ?? '' }, size: isPicture ? picture : null }
}

/** What programs are given of an inline picture. */
export function bytesOfDataUrl(url: string): Uint8Array {
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
}

function pictureFile(
  path: string,
  reference: NonNullable<ImageInput['artifactId']>,
  artifacts: InputArtifacts,
  pixelsMax: number,
  problems: Problems,
): AcceptedImage {
  const found = artifactOf(path, reference, artifacts, problems)
  if (!found) return { image: {}, size: null }
  const { mimeType, width, height } = found.record
  const image = { artifact: stored(found.record) }
  if (!isPictureType(mimeType)) {
    problems.add(path, `must be a picture (PNG, JPEG, WebP, GIF or BMP); this artifact is ${mimeType}.`)
    return { image, size: null }
  }
  // A picture that a job has made may have no known size.
  if (width === null || height === null) return { image, size: null }
  const problem = tooManyPixels({ mimeType, width, height }, pixelsMax)
  if (problem !== null) problems.add(path, problem)
  return { image, size: { width, height } }
}
