/**
 * What checks of shapes said before. The key is the content of the model's version (the schema) and the names, dtypes and shapes of a request with the
 * outputs asked for (its shape). Values are not part of it: they are looked at anew every time. Only `infer` has a shape in this sense; what the
 * other kinds of task check is a handful of comparisons, which cost less than finding anything.
 *
 * A check takes one to a dozen microseconds, so finding its answer must cost less. The outline that a version was asked for last is compared first: requests of
 * one client, and of one submitJobs, are mostly alike. Others are found by a number over their lengths, and then compared, because putting a text together to
 * look up would take longer than the check.
 */
import { LRUCache } from 'lru-cache'
import type { FieldProblem } from '../errors.ts'
import type { RequestOutline, TensorOutline } from './signature.ts'

export interface ValidationCacheSettings {
  readonly entriesMax: number
  readonly keptMs: number
}
export interface ValidationFigures {
  readonly hits: number
  readonly misses: number
  /** What the checks that were not repeated would have taken, less what it took to find their answers: measured at every 32nd hit, reckoned for all. */
  readonly savedMs: number
}

interface Kept {
  readonly outline: RequestOutline
  readonly problems: readonly FieldProblem[]
}

interface Version {
  readonly number: number
  latest: Kept | null
}

/** All outlines and words together, about; long lists of problems leave room for fewer entries. */
const bytesMax = 32 * 1024 * 1024
/** Larger ones are not kept: names may be as long as a request, and each version keeps its latest beside the others. */
const entryBytesMax = 64 * 1024
/** Outlines of one number; the oldest gives way. */
const alikeMax = 4
/** Versions come and go; when there are more, all is forgotten. */
const versionsMax = 10_000
/** Every so many hits, finding is timed, and the check made again to be timed too: the first one runs cold, and takes many times as long. */
const timedEvery = 32
/** How exactly ages are known. */
const ageStepMs = 1000

export class ValidationCache {
  readonly #kept: LRUCache<number, readonly Kept[]> | null
  readonly #versions = new Map<string, Version>()
  #hits = 0
  #misses = 0
  #timedHits = 0
  /** Of the hits that were timed. */
  #savedMs = 0

  /** Null: every request is checked anew. */
  constructor(settings: ValidationCacheSettings | null) {
    this.#kept =
      settings &&
      new LRUCache<number, readonly Kept[]>({
        max: settings.entriesMax,
        ttl: settings.keptMs,
        ttlResolution: ageStepMs,
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
    const isTimed = this.#hits % timedEvery === timedEvery - 1
    const askedAt = isTimed ? performance.now() : 0
    const version = this.#version(versionSha256)
    let key = 0
    let alike: readonly Kept[] | undefined
    let known = version.latest && isSame(version.latest.outline, outline) ? version.latest : undefined
    if (!known) {
      key = version.number * 2 ** 32 + numberOf(outline)
      alike = this.#kept.get(key)
      known = alike && find(alike, outline)
    }
    if (known) {
      version.latest = known
      this.#hits += 1
      if (isTimed) this.#time(askedAt, checkAnew)
      return known.problems
    }
    this.#misses += 1
    const problems = checkAnew()
    const entry = { outline: copyOf(outline), problems }
    if (sizeOf([entry]) > entryBytesMax) return problems
    this.#kept.set(key, [entry, ...(alike ?? [])].slice(0, alikeMax))
    version.latest = entry
    return problems
  }

  get figures(): ValidationFigures {
    const savedMs = this.#timedHits === 0 ? 0 : (this.#savedMs / this.#timedHits) * this.#hits
    return { hits: this.#hits, misses: this.#misses, savedMs }
  }

  #time(askedAt: number, checkAnew: () => unknown): void {
    const foundAt = performance.now()
    checkAnew()
    this.#savedMs += performance.now() - foundAt - (foundAt - askedAt)
    this.#timedHits += 1
  }

  #version(sha256: string): Version {
    const known = this.#versions.get(sha256)
    if (known !== undefined) return known
    if (this.#versions.size >= versionsMax) {
      this.#versions.clear()
      this.#kept?.clear()
    }
    const version = { number: this.#versions.size, latest: null }
    this.#versions.set(sha256, version)
    return version
  }
}

/** 32 bits over the lengths of everything (FNV-1a, by whole numbers instead of bytes): what differs elsewhere is told apart by `isSame`. */
function numberOf({ tensors, outputs }: RequestOutline): number {
  let number = mixed(0x811c9dc5, tensors.length)
  for (const { name, dtype, shape } of tensors) {
    number = mixed(mixed(mixed(number, name.length), dtype.length), shape.length)
    for (const length of shape) number = mixed(number, length)
  }
  if (outputs) for (const name of outputs) number = mixed(number, name.length)
  return number >>> 0
}

function mixed(number: number, part: number): number {
  return Math.imul(number ^ part, 0x01000193)
}

function find(alike: readonly Kept[], outline: RequestOutline): Kept | undefined {
  for (const kept of alike) if (isSame(kept.outline, outline)) return kept
  return undefined
}

function isSame(a: RequestOutline, b: RequestOutline): boolean {
  if (a.tensors.length !== b.tensors.length || !areEqual(a.outputs, b.outputs)) return false
  for (let index = 0; index < a.tensors.length; index += 1) {
    const one = a.tensors[index] as TensorOutline
    const other = b.tensors[index] as TensorOutline
    if (one.name !== other.name || one.dtype !== other.dtype || !areEqual(one.shape, other.shape)) return false
  }
  return true
}

function areEqual<Item>(a: readonly Item[] | null, b: readonly Item[] | null): boolean {
  if (a === null || b === null) return a === b
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false
  return true
}

/** The request itself holds values, which are not to be kept. */
function copyOf({ tensors, outputs }: RequestOutline): RequestOutline {
  return {
    tensors: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape: [...shape] })),
    outputs: outputs && [...outputs],
  }
}

function sizeOf(alike: readonly Kept[]): number {
  let bytes = 200
  for (const { outline, problems } of alike) {
    for (const { name, shape } of outline.tensors) bytes += 100 + 2 * name.length + 8 * shape.length
    for (const name of outline.outputs ?? []) bytes += 20 + 2 * name.length
    for (const { path, message } of problems) bytes += 100 + 2 * (path.length + message.length)
  }
  return bytes
}
