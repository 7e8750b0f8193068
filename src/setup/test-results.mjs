/** Reads what vitest and pytest wrote about a run and counts it, trusting neither a report nor a status alone. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { relative } from 'node:path'
import { fromRoot, ROOT } from './paths.mjs'

const VITEST_REPORT = fromRoot('.hearth', 'results', 'vitest.json')
export const PYTEST_REPORT = fromRoot('.hearth', 'results', 'pytest.xml')

/** @typedef {{ passed: number, failed: number, skipped: string[] }} Count */
/** @typedef {{ status: string, fullName: string }} VitestAssertion */
/** @typedef {{ testResults: { name: string, status: string, assertionResults: VitestAssertion[] }[] }} VitestReport */

/** Removes the reports of an earlier run, which must never be counted for this one. */
export function forgetTestResults() {
  for (const path of [VITEST_REPORT, PYTEST_REPORT]) rmSync(path, { force: true })
}

/** @param {number} status vitest's exit status */
export function countVitest(status) {
  return existsSync(VITEST_REPORT)
    ? withStatus(countVitestReport(readFileSync(VITEST_REPORT, 'utf8')), status)
    : { passed: 0, failed: 1, skipped: [] }
}

/** @param {number} status pytest's exit status */
export function countPytest(status) {
  return existsSync(PYTEST_REPORT)
    ? withStatus(countPytestReport(readFileSync(PYTEST_REPORT, 'utf8')), status)
    : { passed: 0, failed: 1, skipped: [] }
}

/**
 * A file that could not be loaded holds no tests: it counts as one failure.
 * @param {string} json
 * @returns {Count}
 */
export function countVitestReport(json) {
  /** @type {VitestReport} */
  const report = JSON.parse(json)
  const count = emptyCount()
  for (const file of report.testResults) {
    const failedBefore = count.failed
    for (const { status, fullName } of file.assertionResults) {
      if (status === 'passed') count.passed += 1
      else if (status === 'failed') count.failed += 1
      else count.skipped.push(`${relative(ROOT, file.name)}: ${fullName}`)
    }
    if (file.status === 'failed' && count.failed === failedBefore) count.failed += 1
  }
  return count
}

/**
 * Errors of collection and of fixtures count as failures.
 * @param {string} xml junit XML as pytest writes it
 * @returns {Count}
 */
export function countPytestReport(xml) {
  const count = emptyCount()
  for (const [, attributes = '', body = ''] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    if (/<(failure|error)\b/.test(body)) count.failed += 1
    else if (body.includes('<skipped')) count.skipped.push(caseName(attributes))
    else count.passed += 1
  }
  return count
}

/**
 * The line that ends a run.
 * @param {...Count} counts
 */
export function closingLine(...counts) {
  const passed = counts.reduce((sum, count) => sum + count.passed, 0)
  const failed = counts.reduce((sum, count) => sum + count.failed, 0)
  const skipped = counts.reduce((sum, count) => sum + count.skipped.length, 0)
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}

/**
 * A run that ended badly without a failed test (an unhandled error, nothing collected) has failed all the same.
 * @param {Count} count
 * @param {number} status
 * @returns {Count}
 */
function withStatus(count, status) {
  return status !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count
}

/** @returns {Count} */
function emptyCount() {
  return { passed: 0, failed: 0, skipped: [] }
}

/** @param {string} attributes */
function caseName(attributes) {
  const group = /\bclassname="([^"]*)"/.exec(attributes)?.[1] ?? ''
  const name = /\bname="([^"]*)"/.exec(attributes)?.[1] ?? ''
  return `${group}: ${name}`
}
