import { expect, test } from 'vitest'
import { blocksOf, ContentCheck } from '../../../../bench/files/content.ts'

const mib = 1024 * 1024
const whole = Buffer.concat([...blocksOf(3, 2 * mib)])

function check(bytes: Buffer, pieceBytes: number, fileNumber = 3): void {
  const content = new ContentCheck(fileNumber, 2 * mib)
  for (let offset = 0; offset < bytes.length; offset += pieceBytes)
    content.take(bytes.subarray(offset, offset + pieceBytes))
  content.end()
}

test.each([1000, 65_536, mib, 3 * mib])('a whole file is accepted in pieces of %i bytes', (pieceBytes) => {
  expect(() => check(whole, pieceBytes)).not.toThrow()
})

test('a wrong byte, another file, swapped blocks, too little and too much are refused', () => {
  const wrong = Buffer.from(whole)
  wrong[mib + 12_345] = (wrong[mib + 12_345] ?? 0) ^ 1
  expect(() => check(wrong, 65_536)).toThrow('came back wrong')
  expect(() => check(whole, 65_536, 4)).toThrow('came back wrong')
  expect(() => check(Buffer.concat([whole.subarray(mib), whole.subarray(0, mib)]), mib)).toThrow('came back wrong')
  expect(() => check(whole.subarray(0, -1), 65_536)).toThrow(`${2 * mib} bytes were sent, ${2 * mib - 1} came back.`)
  expect(() => check(Buffer.concat([whole, whole.subarray(0, 10)]), mib)).toThrow()
})
