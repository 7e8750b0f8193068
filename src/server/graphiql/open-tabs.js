/**
 * Runs in the browser, before GraphiQL: what it opens with. Our tabs come first, with an idempotency key that is fresh on every
 * load, so that each mutation makes a new job and the subscription beside it watches that one. Tabs that the user has changed or
 * added follow, because GraphiQL remembers them and shall not lose them.
 * @param {readonly string[]} documents
 * @param {string} tourKey the key in `documents`
 * @returns {Tab[]}
 */
export function openTabs(documents, tourKey) {
  const freshKey = `tour-${Date.now().toString(36)}`
  const ours = documents.map((query) => ({ query: query.replaceAll(tourKey, freshKey) }))
  const known = new Set(ours.map(({ query }) => query))
  const theirs = rememberedTabs()
    .map((tab) => ({ ...tab, query: tab.query.replace(/\btour-[0-9a-z]+\b/g, freshKey) }))
    .filter(({ query }) => !known.has(query))
  return [...ours, ...theirs]
}

/** @typedef {{ query: string, variables?: string | null, headers?: string | null }} Tab */

/**
 * Takes them out of GraphiQL's storage: it would otherwise show them instead of what it is told to open.
 * @returns {Tab[]}
 */
function rememberedTabs() {
  try {
    /** @type {{ tabs: Tab[] }} */
    const { tabs } = JSON.parse(localStorage.getItem('graphiql:tabState') ?? '{ "tabs": [] }')
    localStorage.removeItem('graphiql:tabState')
    return tabs
      .filter(({ query }) => typeof query === 'string' && query.trim() !== '')
      .map(({ query, variables = null, headers = null }) => ({ query, variables, headers }))
  } catch {
    // What is stored cannot be read: the tour alone is right.
    return []
  }
}
