import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type LockedPackages, missingPlatformPackages } from '../../../src/setup/complete-lock.mjs'
import { fromRoot } from '../../../src/setup/paths.mjs'

test('a build for another platform that the lock file leaves out is added with its platform', () => {
  const missing = missingPlatformPackages({
    'node_modules/lint': {
      dev: true,
      optionalDependencies: { '@lint/linux-x64': '1.2.3', '@lint/linux-arm64-musl': '1.2.3' },
    },
    'node_modules/@lint/linux-x64': { version: '1.2.3' },
  })
  expect(missing).toEqual([
    {
      name: '@lint/linux-arm64-musl',
      locked: { version: '1.2.3', os: ['linux'], cpu: ['arm64'], libc: ['musl'], dev: true, optional: true },
    },
  ])
})

test('packages are looked up as Node does: beside their dependent, then further out', () => {
  const packages = {
    'node_modules/a/node_modules/b': { optionalDependencies: { 'c-linux-x64': '1.0.0' } },
    'node_modules/a/node_modules/c-linux-x64': { version: '1.0.0' },
    'node_modules/d/node_modules/e': { optionalDependencies: { 'f-linux-x64': '1.0.0' } },
    'node_modules/f-linux-x64': { version: '1.0.0' },
  }
  expect(missingPlatformPackages(packages)).toEqual([])
})

test('the lock file of this repository is complete: npm ci accepts it on every platform', () => {
  const lock = JSON.parse(readFileSync(fromRoot('package-lock.json'), 'utf8')) as { packages: LockedPackages }
  expect(missingPlatformPackages(lock.packages)).toEqual([])
})

test('the lock file names no registry', () => {
  expect(readFileSync(fromRoot('package-lock.json'), 'utf8')).not.toMatch(/"resolved":/)
})
