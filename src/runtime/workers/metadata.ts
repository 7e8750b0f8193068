/** Reads fields of a frame's metadata; whatever is not as PROTOCOL.md says becomes a ProtocolError that names the field, what was expected and what came. */
import { decode } from './message-pack.ts'
import { ProtocolError } from './protocol-error.ts'

export type Metadata = Readonly<Record<string, unknown>>

/** `where` names the message in errors, as in `LOADED`. */
export function decodeMetadata(bytes: Buffer, where: string): Metadata {
  return asMap(decode(bytes), where)
}

export function asMap(value: unknown, where: string): Metadata {
  if (isMap(value)) return value
  throw new ProtocolError('metadata', `${where} must be a map, not ${inWords(value)}.`)
}

export function isMap(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

export function mapField(from: Metadata, name: string, where: string): Metadata {
  return asMap(from[name], `\`${name}\` of ${where}`)
}

export function listField(from: Metadata, name: string, where: string): readonly unknown[] {
  const value = from[name]
  if (Array.isArray(value)) return value
  throw unexpected(where, name, 'a list', value)
}

export function textField(from: Metadata, name: string, where: string): string {
  const value = from[name]
  if (typeof value === 'string') return value
  throw unexpected(where, name, 'a text', value)
}

export function textListField(from: Metadata, name: string, where: string): readonly string[] {
  const list = listField(from, name, where)
  if (list.every((item) => typeof item === 'string')) return list
  throw unexpected(where, name, 'a list of texts', list)
}

export function flagField(from: Metadata, name: string, where: string): boolean {
  const value = from[name]
  if (typeof value === 'boolean') return value
  throw unexpected(where, name, 'true or false', value)
}

/** An integer from 0 to 2^53 - 1: an id, a count, bytes. */
export function countField(from: Metadata, name: string, where: string): number {
  const value = from[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw unexpected(where, name, 'an integer from 0', value)
}

export function optionalCountField(from: Metadata, name: string, where: string): number | null {
  return from[name] === undefined || from[name] === null ? null : countField(from, name, where)
}

export function optionalMapField(from: Metadata, name: string, where: string): Metadata | null {
  return from[name] === undefined || from[name] === null ? null : mapField(from, name, where)
}

/** At most so many bytes, in memory of their own. */
export function bytesField(from: Metadata, name: string, bytesMax: number, where: string): Uint8Array {
  const value = from[name]
  if (!(value instanceof Uint8Array)) throw unexpected(where, name, 'bytes', value)
  if (value.length <= bytesMax) return value
  throw new ProtocolError('limit', `\`${name}\` of ${where} may have at most ${bytesMax} bytes, not ${value.length}.`)
}

/** Milliseconds: zero or more, whole or not. */
export function durationField(from: Metadata, name: string, where: string): number {
  const value = from[name]
  if (typeof value === 'number' && value >= 0 && value < Infinity) return value
  throw unexpected(where, name, 'a number from 0', value)
}

export function wordField<Word extends string>(
  from: Metadata,
  name: string,
  words: readonly Word[],
  where: string,
): Word {
  const value = from[name]
  const word = words.find((candidate) => candidate === value)
  if (word !== undefined) return word
  throw unexpected(where, name, `one of ${words.join(', ')}`, value)
}

function unexpected(where: string, name: string, expected: string, came: unknown): ProtocolError {
  return new ProtocolError('metadata', `\`${name}\` of ${where} must be ${expected}, not ${inWords(came)}.`)
}

const wordsMax = 80

function inWords(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'bigint') return `the integer ${value}`
  if (typeof value === 'string') return JSON.stringify(value.length > wordsMax ? `${value.slice(0, wordsMax)}…` : value)
  if (Array.isArray(value)) return `a list of ${value.length}`
  return value instanceof Uint8Array ? `${value.length} bytes` : 'a map or other value'
}
