/** The layer rule finds what it is there to find. That the repository keeps it is a test of `npm run check`. */
import { describe, expect, test } from 'vitest'
import { breachesOf, importsOf } from '../../src/setup/layers.mjs'

describe('reading imports', () => {
  test('finds statements over several lines, re-exports, side effects and calls', () => {
    const source = [
      `import { a } from './a.ts'`,
      `import type { B } from './b.ts'`,
      `import {\n  c,\n  d,\n} from './c.ts'`,
      `import './e.ts'`,
      `export * from './f.ts'`,
      `export type { G } from './g.ts'`,
      `const h = await import('./h.ts')`,
    ].join('\n')
    expect(importsOf(source)).toEqual([
      { specifier: './a.ts', isTypeOnly: false },
      { specifier: './b.ts', isTypeOnly: true },
      { specifier: './c.ts', isTypeOnly: false },
      { specifier: './e.ts', isTypeOnly: false },
      { specifier: './f.ts', isTypeOnly: false },
      { specifier: './g.ts', isTypeOnly: true },
      { specifier: './h.ts', isTypeOnly: false },
    ])
  })

  test('is not misled by exported text', () => {
    expect(importsOf(`export const greeting = 'from ./a.ts'\nexport const path = './b.ts'`)).toEqual([])
  })
})

describe('the layer rule', () => {
  test.each([
    ['src/scheduler/core.ts', `import { readFile } from 'node:fs'`],
    ['src/scheduler/core.ts', `import type { Store } from '../store/store.ts'`],
    ['src/forecast/rates.ts', `import { step } from '../scheduler/core.ts'`],
    ['src/store/jobs.ts', `import { jobId } from '../scheduler/ids.ts'`],
    ['src/runtime/executor.ts', `import { step } from '../scheduler/core.ts'`],
    ['src/app/submit-jobs.ts', `import { builder } from '../../schema/builder.ts'`],
    ['schema/job.ts', `import { openStore } from '../src/store/open.ts'`],
    ['src/cli/start.ts', `import { createApp } from '../app/create-app.ts'`],
    ['src/server/http.ts', `import { start } from '../main.ts'`],
    ['src/setup/set-up.mjs', `import { execa } from 'execa'`],
  ])('%s may not contain %s', (file, statement) => {
    expect(breachesOf(file, statement)).toHaveLength(1)
  })

  test.each([
    ['src/scheduler/core.ts', `import { admit } from './admission.ts'`],
    ['src/store/jobs.ts', `import type { JobId } from '../scheduler/ids.ts'`],
    ['src/app/shell.ts', `import { step } from '../scheduler/core.ts'`],
    ['schema/job.ts', `import type { JobId } from '../src/scheduler/ids.ts'`],
    ['src/simulator/run.ts', `import { step } from '../scheduler/core.ts'`],
  ])('%s may contain %s', (file, statement) => {
    expect(breachesOf(file, statement)).toEqual([])
  })

  test('a barrel file and a folder outside the picture are breaches', () => {
    expect(breachesOf('src/app/index.ts', '')).toHaveLength(1)
    expect(breachesOf('src/utils/strings.ts', '')).toHaveLength(1)
  })
})
