/** Makes inputs that are nearly right out of right ones, as fuzzers do: pieces lost, doubled, exchanged, numbers pushed to their ends. */
import { type Json, makeJson } from './mutate-json.ts'
import type { Random } from './random.ts'
import type { Target } from './target.ts'

const inputBytesMax = 64 * 1024
const changesMax = 8
const bytesOfInterest = [
  0, 1, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x2f, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xc1, 0xfe, 0xff,
]
const numbersOfInterest = [
  0n,
  1n,
  2n,
  127n,
  128n,
  255n,
  256n,
  65_535n,
  65_536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
]
const numbersInText = [
  '0',
  '-0',
  '-1',
  '1e999',
  '1e-999',
  '9007199254740993',
  '18446744073709551616',
  'NaN',
  '0x10',
  '00',
  '1.5',
  '',
]

export function makeInput({ seeds, words, form }: Target, random: Random): Buffer {
  const kind = random.below(100)
  if (kind < 2) return randomBytes(random, random.below(600))
  if (form === 'json' && kind >= 30) {
    const seed = JSON.parse(random.pick(seeds).toString()) as Json
    return Buffer.from(makeJson(seed, words, random)).subarray(0, inputBytesMax)
  }
  let input = Buffer.from(random.pick(seeds))
  if (kind < 4) return input
  for (let left = 1 + random.below(changesMax); left > 0; left--) input = changed(input, seeds, words, random)
  return input.subarray(0, inputBytesMax)
}

function changed(
  input: Buffer,
  seeds: readonly Buffer[],
  words: readonly string[],
  random: Random,
): Buffer<ArrayBuffer> {
  const at = random.below(input.length + 1)
  const length = Math.min(input.length - at, 1 + random.below(random.pick([2, 8, 64, 1024])))
  switch (random.below(10)) {
    case 0:
      return replaced(input, at, 1, Buffer.of((input[at] ?? 0) ^ (1 << random.below(8))))
    case 1:
      return replaced(input, at, 1, Buffer.of(random.pick(bytesOfInterest)))
    case 2:
      return replaced(input, at, length, Buffer.alloc(0))
    case 3:
      return replaced(input, at, 0, repeated(input.subarray(at, at + length), 1 + random.below(4)))
    case 4:
      return replaced(input, at, 0, randomBytes(random, 1 + random.below(16)))
    case 5:
      return replaced(
        input,
        at,
        random.below(2) * length,
        Buffer.from(words.length > 0 ? random.pick(words) : 'x', 'latin1'),
      )
    case 6:
      return replaced(input, at, length, piece(random.pick(seeds), random))
    case 7:
      return withNumber(input, at, random)
    case 8:
      return withNumberInText(input, at, random)
    default:
      return Buffer.from(input.subarray(0, at))
  }
}

function replaced(input: Buffer, at: number, length: number, by: Uint8Array): Buffer<ArrayBuffer> {
  return Buffer.concat([input.subarray(0, at), by, input.subarray(at + length)])
}

function repeated(part: Uint8Array, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => part))
}

function piece(seed: Buffer, random: Random): Buffer {
  const at = random.below(seed.length + 1)
  return seed.subarray(at, at + 1 + random.below(256))
}

function withNumber(input: Buffer, at: number, random: Random): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(8)
  const number = random.pick(numbersOfInterest)
  if (random.below(2) === 0) bytes.writeBigUInt64LE(number)
  else bytes.writeBigUInt64BE(number)
  const width = random.pick([1, 2, 4, 8])
  return replaced(input, at, width, bytes.subarray(0, width))
}

/** The next number written in digits. */
function withNumberInText(input: Buffer, at: number, random: Random): Buffer<ArrayBuffer> {
  const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39
  let start = at
  while (start < input.length && !isDigit(input[start])) start++
  let end = start
  while (isDigit(input[end])) end++
  return replaced(input, start, end - start, Buffer.from(random.pick(numbersInText)))
}

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)))
}
