/**
 * What checks of shapes said before. The key is the content of the model's version with the kind of task (the schema), and the names, dtypes and
 * shapes of a request with the outputs asked for (its shape). Values are not part of it: they are looked at anew every time. Only `infer` has a shape in
 * this sense; the other kinds are a handful of comparisons, which cost less than a key.
 */
import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { FieldProblem } from '../errors.ts'
import type { RequestOutline } from './signature.ts'

export interface ValidationCacheSettings {
  readonly entriesMax: number
  readonly keptMs: number
}
export interface ValidationFigures {
  readonly hits: number
  readonly misses: number
  /** What the checks that were not repeated took the first time, less what it took to find their answers. */
  readonly savedMs: number
}

interface Kept {
  readonly problems: readonly FieldProblem[]
  readonly checkMs: number
}

/** All keys and words together; long lists of problems leave room for fewer entries. */
const bytesMax = 32 * 1024 * 1024
const entryBytes = 200
/** Longer ones are kept as their digest. */
const keyCharsMax = 256

export class ValidationCache {
  readonly #kept: LRUCache<string, Kept> | null
  #hits = 0
  #misses = 0
  #savedMs = 0

  /** Null: every request is checked anew. */
  constructor(settings: ValidationCacheSettings | null) {
    this.#kept =
      settings &&
      new LRUCache<string, Kept>({
        max: settings.entriesMax,
        ttl: settings.keptMs,
        maxSize: bytesMax,
        sizeCalculation: sizeOf,
      })
  }

  check(
    versionSha256: string,
    outline: RequestOutline,
    checkAnew: () => readonly FieldProblem[],
  ): readonly FieldProblem[] {
    if (!this.#kept) return checkAnew()
    const askedAt = performance.now()
    const key = keyOf(versionSha256, outline)
    const known = this.#kept.get(key)
    const foundAt = performance.now()
    if (known) {
      this.#hits += 1
      this.#savedMs += known.checkMs - (foundAt - askedAt)
      return known.problems
    }
    const problems = checkAnew()
    this.#misses += 1
    this.#kept.set(key, { problems, checkMs: performance.now() - foundAt })
    return problems
  }

  get figures(): ValidationFigures {
    return { hits: this.#hits, misses: this.#misses, savedMs: this.#savedMs }
  }
}

/** Names have their lengths in front, so that no two outlines have one key. */
function keyOf(versionSha256: string, { tensors, outputs }: RequestOutline): string {
  let key = `infer ${versionSha256} `
  for (const { name, dtype, shape } of tensors)
    key += `${name.length}:${name} ${dtype.length}:${dtype} [${shape.join(',')}] `
  if (outputs) for (const name of outputs) key += `> ${name.length}:${name} `
  else key += '*'
  return key.length > keyCharsMax ? hash('sha256', key) : key
}

function sizeOf({ problems }: Kept, key: string): number {
  let bytes = entryBytes + 2 * key.length
  for (const { path, message } of problems) bytes += 2 * (path.length + message.length)
  return bytes
}
