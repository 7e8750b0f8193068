import { describe, expect, test } from 'vitest'
import { dataUrlBytesMax, readDataUrl } from '../../../../src/app/validation/data-url.ts'
import { picture, pictures } from '../../../support/pictures.ts'

const pixelsMax = 1000

test('a small picture comes with its bytes and its size', () => {
  const read = readDataUrl(`data:image/png;base64,${pictures.png}`, pixelsMax)
  expect(read).toEqual({ mimeType: 'image/png', width: 5, height: 3, bytes: picture('png') })
})

test('case, parameters and missing padding are no mistake', () => {
  const unpadded = pictures.gif.replace(/=+$/, '')
  expect(readDataUrl(`DATA:Image/GIF;name=x;BASE64,${unpadded}`, pixelsMax)).toMatchObject({
    mimeType: 'image/gif',
    width: 5,
  })
})

describe('what is wrong is told', () => {
  test.for<[string, string, RegExp]>([
    ['no data URL', 'https://example.org/a.png', /must be like data:image\/png;base64/],
    ['nothing', '', /must be like/],
    ['no Base64', `data:image/png,${pictures.png}`, /in Base64/],
    ['text', 'data:text/plain;base64,aGVsbG8=', /holds text\/plain; PNG, JPEG/],
    ['SVG, which is a program', 'data:image/svg+xml;base64,PHN2Zy8+', /holds image\/svg\+xml/],
    ['broken Base64', `data:image/png;base64,${pictures.png.slice(0, -3)}*`, /no Base64/],
    ['one character too many', 'data:image/png;base64,aGVsb', /no Base64/],
    [
      'another kind than it says',
      `data:image/jpeg;base64,${pictures.png}`,
      /says image\/jpeg, but its bytes are image\/png/,
    ],
    ['no picture at all', 'data:image/jpeg;base64,aGVsbG8=', /but its bytes are no picture/],
    [
      'half a header',
      `data:image/png;base64,${pictures.png.slice(0, 24)}`,
      /cannot be read. The picture ends inside its header/,
    ],
    ['too many bytes', `data:image/png;base64,${'A'.repeat(88_000)}`, /more than 65536 bytes; upload larger pictures/],
  ])('%s', ([, url, words]) => {
    expect(readDataUrl(url, pixelsMax)).toMatch(words)
  })

  test('more pixels than are taken, from the header alone', () => {
    const bytes = picture('png')
    bytes.writeUInt32BE(100_000, 16)
    bytes.writeUInt32BE(100_000, 20)
    const url = `data:image/png;base64,${bytes.toString('base64')}`
    expect(readDataUrl(url, 64_000_000)).toMatch(/100000 x 100000 pixels, of at most 64000000/)
  })

  test('exactly as many bytes as may be are taken', () => {
    const padded = Buffer.concat([picture('gif'), Buffer.alloc(dataUrlBytesMax)])
    const url = (length: number) => `data:image/gif;base64,${padded.subarray(0, length).toString('base64')}`
    expect(readDataUrl(url(dataUrlBytesMax), pixelsMax)).toMatchObject({ width: 5 })
    expect(readDataUrl(url(dataUrlBytesMax + 1), pixelsMax)).toMatch(/65537 bytes, of at most 65536/)
  })
})
