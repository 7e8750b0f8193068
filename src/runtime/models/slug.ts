/** A name that requests can use, made from what somebody else calls a thing. */

export const modelName = /^[a-z0-9][a-z0-9._-]{0,63}$/
const nameCharsMax = 64

/** Null when nothing of the text is left. */
export function slugOf(text: string): string | null {
  const slug = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, nameCharsMax)
    .replace(/[-._]+$/, '')
  return slug === '' ? null : slug
}
