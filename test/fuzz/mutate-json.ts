/** As `mutate.ts`, for JSON: the tree is changed instead of the text, so that most inputs can be read and reach what looks at their content. */
import type { Random } from './random.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

const changesMax = 5
const depthMax = 200
const grownCharactersMax = 16 * 1024
const numbers = [
  0,
  -0,
  1,
  -1,
  0.5,
  255,
  256,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 53,
  2 ** 53 - 1,
  1e308,
  5e-324,
  -1e-7,
]
const texts = [
  '',
  ' ',
  'a',
  'NaN',
  'Infinity',
  '-Infinity',
  '-0',
  '0x10',
  '1e400',
  '18446744073709551615',
  '-9223372036854775808',
  '9223372036854775808',
  '../x',
  '/etc',
  'a\\b',
  '\u0000',
  '\ud800',
  '\u{1f600}',
  '__proto__',
  'x'.repeat(300),
]

/** As text. */
export function makeJson(seed: Json, words: readonly string[], random: Random): string {
  let tree = structuredClone(seed)
  let text = ''
  // Doubled again and again, a tree would soon be larger than memory.
  for (let left = 1 + random.below(changesMax); left > 0 && text.length < grownCharactersMax; left--) {
    tree = changed(tree, words, random)
    text = JSON.stringify(tree)
  }
  return text
}

/** Goes down a random way and changes what is at its end. */
function changed(node: Json, words: readonly string[], random: Random, depth = 0): Json {
  const names = typeof node === 'object' && node !== null ? Object.keys(node) : []
  if (names.length > 0 && depth < depthMax && random.below(4) > 0) {
    const name = random.pick(names)
    return withMember(
      node as Json[] | { [name: string]: Json },
      name,
      changed(member(node, name), words, random, depth + 1),
    )
  }
  return names.length > 0 && random.below(2) === 0
    ? withoutOrMore(node as Json[] | { [name: string]: Json }, random.pick(names), random)
    : another(node, words, random)
}

function another(node: Json, words: readonly string[], random: Random): Json {
  switch (random.below(8)) {
    case 0:
      return random.pick(numbers)
    case 1:
      return random.pick(texts)
    case 2:
      return random.pick([null, true, false, [], {}])
    case 3:
      return [node]
    case 4:
      return nestedIn(node, random.below(depthMax))
    case 5:
      return typeof node === 'number' ? node + random.pick([-1, 1, 0.5, 1e10]) : random.pick(numbers)
    case 6:
      return typeof node === 'string' ? node + random.pick(texts) : random.pick(texts)
    default:
      return words.length > 0 ? fromWord(random.pick(words)) : null
  }
}

/** A list or object with a member less, twice, or under another name. */
function withoutOrMore(node: Json[] | { [name: string]: Json }, name: string, random: Random): Json {
  if (Array.isArray(node)) {
    const index = Number(name)
    const more = Array.from({ length: random.below(40) }, () => structuredClone(node[index] ?? null))
    return random.below(2) === 0 ? node.toSpliced(index, 1) : node.toSpliced(index, 0, ...more)
  }
  const { [name]: value = null, ...rest } = node
  return random.below(2) === 0 ? rest : { ...rest, [random.pick(texts)]: value }
}

function withMember(node: Json[] | { [name: string]: Json }, name: string, value: Json): Json {
  return Array.isArray(node) ? node.with(Number(name), value) : { ...node, [name]: value }
}

function member(node: Json, name: string): Json {
  return (node as Readonly<Record<string, Json>>)[name] ?? null
}

function nestedIn(node: Json, levels: number): Json {
  let nested = node
  for (let level = 0; level < levels; level++) nested = [nested]
  return nested
}

/** Words are pieces of JSON's text; those that are whole values stand for them. */
function fromWord(word: string): Json {
  try {
    return JSON.parse(word) as Json
  } catch {
    return word
  }
}
