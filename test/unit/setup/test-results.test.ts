/** Counting must never call a bad run good. */
import { expect, test } from 'vitest'
import { closingLine, countPytestReport, countVitestReport } from '../../../src/setup/test-results.mjs'

const PASSED = { status: 'passed', fullName: 'adds' }
const FAILED = { status: 'failed', fullName: 'subtracts' }
const SKIPPED = { status: 'pending', fullName: 'divides' }

test('vitest: every assertion counts once', () => {
  const count = countVitestReport(report([file('failed', [PASSED, FAILED, SKIPPED]), file('passed', [PASSED])]))
  expect(count).toMatchObject({ passed: 2, failed: 1 })
  expect(count.skipped).toEqual([expect.stringContaining('divides')])
})

test('vitest: a file that could not be loaded is a failure', () => {
  expect(countVitestReport(report([file('failed', []), file('failed', [PASSED])]))).toMatchObject({
    passed: 1,
    failed: 2,
  })
})

test('pytest: failures, errors and skips are told apart', () => {
  const count = countPytestReport(`<?xml version="1.0"?><testsuites><testsuite tests="5">
    <testcase classname="tests.a" name="one" time="0.1" />
    <testcase classname="tests.a" name="two" time="0.1"><failure message="x &gt; y">text</failure></testcase>
    <testcase classname="tests.a" name="three" time="0.1"><error message="fixture">text</error></testcase>
    <testcase classname="tests.a" name="four" time="0.1"><skipped message="no GPU">why</skipped></testcase>
    <testcase classname="tests.a" name="five" time="0.1"><system-out>printed</system-out></testcase>
  </testsuite></testsuites>`)
  expect(count).toEqual({ passed: 2, failed: 2, skipped: ['tests.a: four'] })
})

test('the closing line adds everything up and mentions skipped tests only if there are any', () => {
  const one = { passed: 3, failed: 0, skipped: [] }
  expect(closingLine(one, one)).toBe('6 passed, 0 failed')
  expect(closingLine(one, { passed: 0, failed: 1, skipped: ['a'] })).toBe('3 passed, 1 failed, 1 skipped')
})

function report(testResults: unknown[]) {
  return JSON.stringify({ testResults })
}

function file(status: string, assertionResults: unknown[]) {
  return { name: 'test/unit/numbers.test.ts', status, assertionResults }
}
