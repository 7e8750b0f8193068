/** What the programs of a job of pictures are given, each by its name; whatever else a manifest names gets the whole accepted task. */
import type { TaskRecord } from '../store/records.ts'
import { type CatalogueEntry, shortDigest } from './catalogue.ts'
import { type PictureTerms, seedOfPicture } from './picture-terms.ts'
import type { Fields } from './requests-for-workers.ts'
import type { TextToImageRequest } from './validation/text-to-image.ts'
import { version as hearthVersion } from './version.ts'

type Made = Pick<CatalogueEntry, 'model' | 'version'> | null

/** Of textToImage. `by`: the version that makes the pictures; null when it is not known any more. */
export function pictureRequest(
  { program, item }: Pick<TaskRecord, 'program' | 'item'>,
  request: TextToImageRequest,
  { format, safety, previews }: PictureTerms,
  by: Made,
): Fields {
  const { prompt, negativePrompt, width, height, steps, guidance, upscale } = request
  const seed = seedOfPicture(request.seed, item)
  switch (program) {
    case 'encode_text':
      return { prompt, negativePrompt }
    case 'denoise':
      return {
        item,
        steps,
        guidance,
        seed,
        width,
        height,
        previews: previews && { ...previews, check: safety.policy },
      }
    case 'decode_latents':
    case 'check_picture':
      return {}
    case 'upscale_picture':
      return { factor: upscale }
    case 'write_picture':
      return { format, metadata: { prompt, negativePrompt, seed, steps, guidance, ...maker(by) } }
    default:
      return { ...request, seed, item, format }
  }
}

/** Of upscaleImage. `image`: its file or its bytes. */
export function upscalingRequest(image: Fields, factor: number, { format }: PictureTerms, by: Made): Fields {
  return { image, factor, format, metadata: maker(by) }
}

/** Written into the picture's file: what made it. */
function maker(by: Made): Fields {
  return {
    model: by?.model.name ?? '',
    version: by ? shortDigest(by.version.sha256) : '',
    software: `Hearth ${hearthVersion}`,
  }
}
