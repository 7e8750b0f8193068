import { readFileSync } from 'node:fs'

/** The key that the committed tabs carry; the page puts a fresh one in its place. */
export const tourKey = 'tour-1'

/** The documents that GraphiQL opens with, in order. */
export function readTabs(): readonly string[] {
  const text = readFileSync(new URL('./tabs.graphql', import.meta.url), 'utf8')
  return text.split('# ---\n').map((tab) => tab.trim())
}
