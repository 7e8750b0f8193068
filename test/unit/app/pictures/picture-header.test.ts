import { describe, expect, test } from 'vitest'
import { BrokenPicture, type PictureType } from '../../../../src/app/pictures/header-reading.ts'
import { pictureTypeOf, readPictureHeader, readPictureHeaderOf } from '../../../../src/app/pictures/picture-header.ts'
import { picture, type pictures } from '../../../support/pictures.ts'

type Name = keyof typeof pictures

describe('kind and size of a whole picture', () => {
  test.for<[Name, PictureType, number, number]>([
    ['png', 'image/png', 5, 3],
    ['jpeg', 'image/jpeg', 5, 3],
    ['jpegTurned', 'image/jpeg', 3, 5],
    ['jpegUpsideDown', 'image/jpeg', 5, 3],
    ['webp', 'image/webp', 5, 3],
    ['webpLossless', 'image/webp', 5, 3],
    ['webpExtended', 'image/webp', 5, 3],
    ['gif', 'image/gif', 5, 3],
    ['bmp', 'image/bmp', 5, 3],
  ])('%s', async ([name, type, width, height]) => {
    const bytes = picture(name)
    expect(pictureTypeOf(bytes)).toBe(type)
    expect(readPictureHeader(bytes, type)).toEqual({ mimeType: type, width, height })
    const fromFile = readPictureHeaderOf(async ({ offset, length }) => bytes.subarray(offset, offset + length), type)
    expect(await fromFile).toEqual({ mimeType: type, width, height })
  })

  test('a BMP whose first row is the top one has a negative height, which is not its size', () => {
    const bytes = picture('bmp')
    bytes.writeInt32LE(-3, 22)
    expect(readPictureHeader(bytes, 'image/bmp')).toMatchObject({ width: 5, height: 3 })
  })

  test('a BMP of OS/2 has a short header', () => {
    const bytes = Buffer.alloc(26)
    bytes.write('BM')
    bytes.writeUInt32LE(12, 14)
    bytes.writeUInt16LE(7, 18)
    bytes.writeUInt16LE(9, 20)
    expect(readPictureHeader(bytes, 'image/bmp')).toMatchObject({ width: 7, height: 9 })
  })
})

describe('what is not whole', () => {
  test.for<Name>(['png', 'jpeg', 'webp', 'webpLossless', 'gif', 'bmp'])(
    '%s: cut anywhere it is read as before, or refused in words',
    (name) => {
      const whole = picture(name)
      const type = pictureTypeOf(whole) as PictureType
      const size = readPictureHeader(whole, type)
      let refused = 0
      for (let length = 0; length < whole.length; length++) {
        try {
          expect(readPictureHeader(whole.subarray(0, length), type)).toEqual(size)
        } catch (error) {
          expect(error).toBeInstanceOf(BrokenPicture)
          expect((error as Error).message).toMatch(/^The .*\.$/)
          refused++
        }
      }
      expect(refused).toBeGreaterThan(8)
    },
  )

  test.for<[string, PictureType, () => Buffer, RegExp]>([
    ['a PNG without IHDR', 'image/png', () => changed('png', 12, 0x58), /IHDR/],
    ['a PNG of 3 bits in colour', 'image/png', () => changed('png', 24, 3), /3 bits/],
    ['a PNG without width', 'image/png', () => changed('png', 19, 0), /0 x 3/],
    ['a JPEG that ends at once', 'image/jpeg', () => Buffer.from('ffd8ffd9', 'hex'), /ends before/],
    [
      'a JPEG of fill bytes',
      'image/jpeg',
      () => Buffer.concat([Buffer.from('ffd8', 'hex'), Buffer.alloc(200, 0xff)]),
      /fill/,
    ],
    ['a JPEG of nothing but comments', 'image/jpeg', () => repeated('ffd8', 'fffe0002', 2000), /1000 segments/],
    [
      'a JPEG whose segment has no room for its length',
      'image/jpeg',
      () => Buffer.from('ffd8ffe00001', 'hex'),
      /claims 1 bytes/,
    ],
    ['a JPEG with data before its size', 'image/jpeg', () => Buffer.from('ffd8ffda0004aaaa', 'hex'), /data before/],
    ['a WebP of no known kind', 'image/webp', () => changed('webp', 15, 0x5a), /no known chunk/],
    ['a WebP that begins in the middle', 'image/webp', () => changed('webp', 23, 0), /key frame/],
    ['a BMP with a header of 13 bytes', 'image/bmp', () => changed('bmp', 14, 13), /13 bytes/],
    ['a GIF of no height', 'image/gif', () => changed('gif', 8, 0), /5 x 0/],
  ])('%s is refused in words', ([, type, make, words]) => {
    expect(() => readPictureHeader(make(), type)).toThrow(BrokenPicture)
    expect(() => readPictureHeader(make(), type)).toThrow(words)
  })

  test('EXIF data that cannot be read turns nothing', () => {
    const bytes = picture('jpegTurned')
    const tiff = bytes.indexOf('Exif') + 6
    bytes.writeUInt32BE(0xffff, tiff + 4)
    bytes.writeUInt32LE(0xffff, tiff + 4)
    expect(readPictureHeader(bytes, 'image/jpeg')).toMatchObject({ width: 5, height: 3 })
  })

  test('other bytes are no picture', () => {
    for (const text of ['', 'B', '<html>', '%PDF-1.7', 'RIFF1234WAVEfmt '])
      expect(pictureTypeOf(Buffer.from(text))).toBe(null)
  })
})

function changed(name: Name, offset: number, byte: number): Buffer {
  const bytes = picture(name)
  bytes[offset] = byte
  return bytes
}

function repeated(start: string, part: string, count: number): Buffer {
  return Buffer.from(start + part.repeat(count), 'hex')
}
