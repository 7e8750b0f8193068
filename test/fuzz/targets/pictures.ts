/** Pictures that somebody uploads or writes into a request. */
import { BrokenPicture } from '../../../src/app/pictures/header-reading.ts'
import { pictureTypeOf, readPictureHeader } from '../../../src/app/pictures/picture-header.ts'
import { dataUrlBytesMax, readDataUrl } from '../../../src/app/validation/data-url.ts'
import { picture, pictures } from '../../support/pictures.ts'
import { holds, refusedAs, type Target } from '../target.ts'

const pixelsMax = 64 * 1024 * 1024
const all = (Object.keys(pictures) as (keyof typeof pictures)[]).map((name) => picture(name))
const types = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/bmp'] as const

export const pictureTargets: readonly Target[] = [
  {
    name: 'picture-header',
    seeds: all,
    words: [
      'IHDR',
      'VP8 ',
      'VP8L',
      'VP8X',
      'Exif\u0000\u0000',
      'II*\u0000',
      'MM\u0000*',
      '\u00ff\u00c0',
      '\u00ff\u00e1\u00ff\u00ff',
      '\u00ff\u00d8',
    ],
    read(input) {
      const type = pictureTypeOf(input)
      // Also as what it is not: a sender's word may choose the reader.
      for (const asType of type === null ? types : [type]) {
        try {
          const { width, height } = readPictureHeader(input, asType)
          holds(
            [width, height].every((side) => Number.isInteger(side) && side > 0 && side < 2 ** 32),
            `${width} x ${height} pixels`,
          )
        } catch (error) {
          refusedAs(error, BrokenPicture)
        }
      }
    },
  },
  {
    name: 'data-url',
    seeds: all
      .filter(({ length }) => length < 20_000)
      .map((bytes) => Buffer.from(`data:${pictureTypeOf(bytes) ?? 'image/png'};base64,${bytes.toString('base64')}`)),
    words: ['data:', ';base64', ',', '=', '==', 'image/png', ';charset=x', '%20', '\u0000', '-', '_'],
    read(input) {
      const read = readDataUrl(input.toString('latin1'), pixelsMax)
      if (typeof read === 'string') return holds(read.length > 0 && read.length < 1000, 'a refusal is a sentence')
      holds(
        read.bytes.byteLength <= dataUrlBytesMax && read.width * read.height <= pixelsMax,
        'what is taken is within its limits',
      )
    },
  },
]
