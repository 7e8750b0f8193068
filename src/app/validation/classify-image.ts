/** classifyImage: what is accepted. Nothing is decoded here; headers say what a picture is. */
import type { ImageInput } from '../app.ts'
import { isPictureType } from '../pictures/picture-header.ts'
import { readDataUrl, tooManyPixels } from './data-url.ts'
import { artifactOf, type InputArtifacts, stored } from './input-artifacts.ts'
import type { Problems } from './problems.ts'

/** As many labels as any answer has. */
const labelsMax = 1000

export function normaliseClassifyImage(
  { image, topK }: { readonly image: ImageInput; readonly topK: number },
  artifacts: InputArtifacts,
  pixelsMax: number,
  problems: Problems,
): Record<string, unknown> {
  problems.integer('topK', topK, 1, labelsMax)
  return { image: normaliseImage('image', image, artifacts, pixelsMax, problems), topK }
}

/** What the program `classify_image` is given of an inline picture. */
export function bytesOfDataUrl(url: string): Uint8Array {
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
}

function normaliseImage(
  path: string,
  { artifactId, dataUrl }: ImageInput,
  artifacts: InputArtifacts,
  pixelsMax: number,
  problems: Problems,
): Record<string, unknown> {
  if (artifactId != null) {
    const found = artifactOf(`${path}.artifactId`, artifactId, artifacts, problems)
    if (!found) return {}
    const { mimeType, width, height } = found.record
    if (!isPictureType(mimeType))
      problems.add(
        `${path}.artifactId`,
        `must be a picture (PNG, JPEG, WebP, GIF or BMP); this artifact is ${mimeType}.`,
      )
    // A picture that a job has made may have no known size: then its decoder refuses what is too large.
    else if (width !== null && height !== null) {
      const problem = tooManyPixels({ mimeType, width, height }, pixelsMax)
      if (problem !== null) problems.add(`${path}.artifactId`, problem)
    }
    return { artifact: stored(found.record) }
  }
  const picture = readDataUrl(dataUrl ?? '', pixelsMax)
  if (typeof picture === 'string') problems.add(`${path}.dataUrl`, picture)
  return { dataUrl }
}
