/** A number behind a name that clients must not look into: base64url of `tag:number`. Node ids and cursors are made of it. */
export function encodeOpaque(tag: string, number: number): string {
  return Buffer.from(`${tag}:${number}`, 'latin1').toString('base64url')
}

/** Null unless `text` is exactly what `encodeOpaque(tag, n)` gives for some n from 0 to 2^53-1. */
export function decodeOpaque(text: string, tag: string): number | null {
  if (text.length > 64) return null
  const plain = Buffer.from(text, 'base64url').toString('latin1')
  const number = Number(plain.slice(tag.length + 1))
  const canonical = Number.isSafeInteger(number) && number >= 0 && encodeOpaque(tag, number) === text
  return canonical ? number : null
}
