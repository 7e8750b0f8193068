import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page, Request } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { browserPath, openBrowser, skippedAloud } from '../support/browser.ts'
import { type Hearth, startHearth } from '../support/hearth.ts'
import { watch } from '../support/job-log.ts'
import { noop, submit } from '../support/submissions.ts'

if (browserPath === null) skippedAloud()

describe.skipIf(browserPath === null)('GraphiQL in a browser', () => {
  let hearth: Hearth
  let browser: Browser
  let page: Page
  let pictures: string
  const requests: Request[] = []
  const mistakes: string[] = []

  beforeAll(async () => {
    pictures = await mkdtemp(join(tmpdir(), 'hearth-pictures-'))
    console.info(`Pictures of the pages: ${pictures}`)
    ;[hearth, browser] = await Promise.all([startHearth(), openBrowser()])
  })
  afterAll(async () => {
    await browser?.close()
    await hearth?.stop()
  })
  beforeEach(async () => {
    requests.length = 0
    mistakes.length = 0
    page = await browser.newPage({ viewport: { width: 1500, height: 950 } })
    page.on('request', (request) => requests.push(request))
    page.on('pageerror', (error) => mistakes.push(error.message))
    await page.goto(hearth.url)
    await page.getByRole('tab', { name: 'Write' }).waitFor()
    onTestFinished(() => page.close())
  })

  const tab = async (name: string) => {
    await page.getByTitle(name, { exact: true }).click()
    await page.getByRole('tab', { name, selected: true }).waitFor()
    // Until then the answer of the tab before is shown; one that has not run yet has none.
    await expect.poll(answer).toBe('')
  }
  /** The viewer writes blanks that do not break. */
  const answer = async () => (await page.locator('.graphiql-response').innerText()).replaceAll('\u00a0', ' ')
  const clickExecute = () => page.getByRole('button', { name: 'Execute query' }).click()
  const picture = (name: string) => page.screenshot({ path: join(pictures, `${name}.png`) })

  /**
   * Runs the operation of the tab until its answer contains a text. GraphiQL learns the operation's name a moment after it has shown the tab;
   * whoever is faster is told that no operation can be inferred, and clicks again.
   */
  const executeUntil = async (text: string) => {
    await clickExecute()
    const shown = async () => {
      const said = await answer()
      if (said.includes('Cannot infer operation')) await clickExecute()
      return said
    }
    await expect.poll(shown, { timeout: 30_000 }).toContain(text)
  }

  test('the page loads without asking anybody but this server', async () => {
    await picture('loaded')
    const own = new URL(hearth.url).host
    const foreign = requests
      .map((request) => new URL(request.url()))
      .filter(({ protocol, host }) => /^(http|ws)/.test(protocol) && host !== own)
    expect(foreign.map(String)).toEqual([])
    expect(mistakes).toEqual([])
  })

  test('the tabs of the tour are shown by name', async () => {
    const names = await page.getByRole('tab').allInnerTexts()
    expect(names).toEqual(
      expect.arrayContaining([
        'Write',
        'Watch',
        'Classify',
        'Labels',
        'Pictures',
        'Previews',
        'Pause',
        'Resume',
        'Board',
        'Machine',
        'Models',
      ]),
    )
  })

  test('the Write tab submits a job as it stands, and the Watch tab streams its text', async () => {
    await tab('Write')
    await executeUntil('"state"')
    await picture('write')
    const live = watchFrames(page)
    await tab('Watch')
    await executeUntil('JobSucceeded')
    await picture('watch')
    const deltas = live.filter((frame) => frame.includes('"TextDelta"'))
    expect(deltas.length).toBeGreaterThan(1)
    expect(mistakes).toEqual([])
  })

  test('the Pictures tab submits two pictures, and the Previews tab streams the first while it is being made', async () => {
    await tab('Pictures')
    await executeUntil('"state"')
    const live = watchFrames(page)
    await tab('Previews')
    await executeUntil('JobSucceeded')
    await picture('previews')
    const steps = live.filter((frame) => frame.includes('"StepCompleted"'))
    const previews = live.filter((frame) => frame.includes('"PreviewReady"'))
    expect(steps.length).toBeGreaterThan(1)
    expect(previews.length).toBeGreaterThan(0)
    expect(await answer()).toContain('/artifacts/')
    expect(mistakes).toEqual([])
  })

  test('the keys of the tour are fresh at every load of the page', async () => {
    const keyOf = async () => {
      await tab('Write')
      return /idempotencyKey:\s*"([^"]+)"/.exec(await page.locator('.graphiql-query-editor').innerText())?.[1]
    }
    const first = await keyOf()
    expect(first).toMatch(/./)
    await page.reload()
    await page.getByRole('tab', { name: 'Write' }).waitFor()
    expect(await keyOf()).not.toBe(first)
  })

  test('every tab runs as it stands, from left to right', async () => {
    for (const name of await page.getByRole('tab').allInnerTexts()) {
      await tab(name)
      const enough = new AbortController()
      const changes = name === 'Board' ? keepChanging(hearth, enough.signal) : null
      await executeUntil(signOfLife[name] ?? '"data"')
      expect(await answer()).not.toContain('"errors"')
      await picture(name.toLowerCase())
      enough.abort()
      await changes
      // Only the board goes on for ever.
      if (name === 'Board') await page.getByRole('button', { name: 'Stop query' }).click()
    }
    expect(mistakes).toEqual([])
  })
})

/** What the answer of a tab contains when it has done its work; an ordinary one has data. */
const signOfLife: Readonly<Record<string, string>> = {
  Watch: 'JobSucceeded',
  Vectors: 'JobSucceeded',
  Labels: 'sfw',
  Previews: 'JobSucceeded',
  Pause: 'NotFoundError',
  Resume: 'NotFoundError',
  Board: '"from"',
}

/** The board shows what changes, so something has to. */
async function keepChanging(hearth: Hearth, enough: AbortSignal): Promise<void> {
  while (!enough.aborted) await watch(hearth, await submit(hearth, noop({ steps: 5, stepMs: 10 }))).final()
}

/** Everything that the server sends over WebSockets from now on. */
function watchFrames(page: Page): string[] {
  const frames: string[] = []
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(String(payload))))
  return frames
}
