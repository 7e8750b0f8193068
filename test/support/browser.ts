/** A real browser, where the machine has one. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const candidates = [
  process.env['HEARTH_TEST_BROWSER'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** Null when there is none; tests that need it are then counted as skipped. */
export const browserPath: string | null = candidates.find((path) => path !== undefined && existsSync(path)) ?? null

export function skippedAloud(): void {
  console.warn(
    'No browser was found (looked for Chromium in /usr/bin; HEARTH_TEST_BROWSER names another): browser tests are skipped.',
  )
}

/** It is told not to call its maker's servers: a test that counts requests must see only the page's own. */
export function openBrowser(): Promise<Browser> {
  if (browserPath === null) throw new Error('No browser was found.')
  return chromium.launch({
    executablePath: browserPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
