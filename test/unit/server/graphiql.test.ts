import { parse, validate } from 'graphql'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { schema } from '../../../schema/schema.ts'
import { readConfig } from '../../../src/config/config.ts'
import { openTabs } from '../../../src/server/graphiql/open-tabs.js'
import { graphiqlHtml } from '../../../src/server/graphiql/page.ts'
import { readTabs, tourKey } from '../../../src/server/graphiql/tabs.ts'
import { beyondLimits } from '../../../src/server/graphql/operation-limits.ts'

const { HEARTH_MAX_QUERY_TOKENS, HEARTH_MAX_QUERY_DEPTH, HEARTH_MAX_QUERY_COST } = readConfig({})
const limits = {
  tokenCountMax: HEARTH_MAX_QUERY_TOKENS,
  depthMax: HEARTH_MAX_QUERY_DEPTH,
  costMax: HEARTH_MAX_QUERY_COST,
}

describe('the tabs', () => {
  test.for(readTabs().map((tab) => [tab.split(' {')[0], tab] as const))('%s runs as it stands', ([, tab]) => {
    const document = parse(tab)
    expect(validate(schema, document)).toEqual([])
    expect(beyondLimits(limits, schema, document)).toBeNull()
    expect(document.definitions).toHaveLength(1)
    expect(tab).not.toContain('$')
  })

  test('each mutation has a subscription that watches its job', () => {
    const keysOf = (kind: string) =>
      readTabs()
        .filter((tab) => tab.startsWith(kind))
        .flatMap((tab) => /idempotencyKey: "(.*?)"/.exec(tab)?.[1] ?? [])
    expect(keysOf('mutation')).toHaveLength(4)
    expect(keysOf('subscription')).toEqual(keysOf('mutation'))
  })
})

describe('opening the page', () => {
  const stored = new Map<string, string>()
  beforeEach(() => {
    stored.clear()
    vi.stubGlobal('localStorage', {
      getItem: (name: string) => stored.get(name) ?? null,
      removeItem: (name: string) => stored.delete(name),
    })
    vi.useFakeTimers({ now: 1_800_000_000_000 })
    return () => {
      vi.unstubAllGlobals()
      vi.useRealTimers()
    }
  })
  const remember = (...queries: readonly (string | null)[]) =>
    stored.set(
      'graphiql:tabState',
      JSON.stringify({ activeTabIndex: 0, tabs: queries.map((query) => ({ id: 'x', title: 't', query })) }),
    )
  const documents = ['mutation { a(key: "tour-1") }', 'subscription { b(key: "tour-1-more") }']
  const freshKey = `tour-${(1_800_000_000_000).toString(36)}`
  const ours = [
    { query: `mutation { a(key: "${freshKey}") }` },
    { query: `subscription { b(key: "${freshKey}-more") }` },
  ]

  test('a first visit sees our tabs, all with one fresh key', () => {
    expect(openTabs(documents, tourKey)).toEqual(ours)
  })

  test('tabs from an earlier visit that nobody has touched are not doubled', () => {
    remember('mutation { a(key: "tour-abc123") }', 'subscription { b(key: "tour-abc123-more") }', '', null)
    expect(openTabs(documents, tourKey)).toEqual(ours)
  })

  test("the user's own tabs follow, with the fresh key, and are shown this time too", () => {
    remember('mutation { a(key: "tour-abc123", seed: 2) }')
    expect(openTabs(documents, tourKey)).toEqual([
      ...ours,
      { query: `mutation { a(key: "${freshKey}", seed: 2) }`, variables: null, headers: null },
    ])
    expect(stored.size).toBe(0)
  })

  test('what cannot be read is left behind', () => {
    stored.set('graphiql:tabState', '{broken')
    expect(openTabs(documents, tourKey)).toEqual(ours)
  })
})

describe('the page', () => {
  test('loads nothing from anywhere', async () => {
    const html = await graphiqlHtml()
    const elements = html.matchAll(/<(script|link|img|iframe|source|object|embed)\b[^>]*>/gi)
    const addresses = Array.from(
      elements,
      ([element]) => /(?:src|href|data)=["']?([^"'\s>]*)/i.exec(element)?.[1] ?? '',
    )
    expect(
      addresses.filter((address) => address !== '' && !address.startsWith('data:') && !address.startsWith('${')),
    ).toEqual([])
    expect(html).not.toMatch(/@import\s+(url\()?["']?https?:/)
  })

  test('opens with our tabs', async () => {
    const html = await graphiqlHtml()
    const call = html.slice(html.lastIndexOf('YogaGraphiQL.renderYogaGraphiQL('))
    expect(call).toContain('defaultTabs: openTabs(')
    expect(call).toContain(JSON.stringify(readTabs()))
    expect(call).toContain('"subscriptionsProtocol":"WS"')
    expect(html.lastIndexOf('function openTabs')).toBeLessThan(html.lastIndexOf('defaultTabs'))
  })
})
