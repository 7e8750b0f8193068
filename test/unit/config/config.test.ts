import { expect, test } from 'vitest'
import { readConfig, stepMsLeast, unknownSettings } from '../../../src/config/config.ts'
import { defaultWorkerLimits } from '../../../src/runtime/workers/worker-limits.ts'

test('an empty environment gives the defaults', () => {
  expect(readConfig({ PATH: '/bin' })).toMatchObject({
    HEARTH_HOST: '127.0.0.1',
    HEARTH_PORT: 4000,
    HEARTH_MODEL_PATHS: ['./models'],
  })
})

test('a variable that is set to nothing counts as not set', () => {
  expect(readConfig({ HEARTH_PORT: '' }).HEARTH_PORT).toBe(4000)
})

test('every wrong variable is named, with what was given', () => {
  expect(() => readConfig({ HEARTH_PORT: '99999', HEARTH_LOG_LEVEL: 'loud' })).toThrow(
    /HEARTH_PORT[^]*99999[^]*HEARTH_LOG_LEVEL[^]*loud/,
  )
})

test('a name with a typing error is noticed', () => {
  expect(unknownSettings({ HEARTH_PROT: '1', HEARTH_PORT: '1', HEARTH_PYTHON: 'python3', OTHER: 'x' })).toEqual([
    'HEARTH_PROT',
  ])
})

test('safety is asked for by one of its words, and unsafe pictures are withheld unless asked otherwise', () => {
  expect(readConfig({}).HEARTH_SAFETY_POLICY).toBe('block')
  expect(readConfig({ HEARTH_SAFETY_POLICY: 'flag' }).HEARTH_SAFETY_POLICY).toBe('flag')
  expect(() => readConfig({ HEARTH_SAFETY_POLICY: 'no' })).toThrow('HEARTH_SAFETY_POLICY')
})

test.each(['-0.1', '1.1', 'half'])('%s is no share of time', (share) => {
  expect(() => readConfig({ HEARTH_INFERENCE_SHARE: share })).toThrow('HEARTH_INFERENCE_SHARE')
})

test('settings that make no sense together are refused with both names', () => {
  expect(() => readConfig({ HEARTH_PRESSURE_TIGHT: '0.97' })).toThrow(
    'HEARTH_PRESSURE_CRITICAL: must be above HEARTH_PRESSURE_TIGHT (given: 0.95 and 0.97)',
  )
  expect(() => readConfig({ HEARTH_RECYCLE_AFTER_TASKS: '200000' })).toThrow(
    'HEARTH_RECYCLE_AT_LATEST: must be at least HEARTH_RECYCLE_AFTER_TASKS (given: 100000 and 200000)',
  )
})

test('no step is taken for hung before its time, so a shorter one cannot be asked for', () => {
  expect(stepMsLeast).toBe(defaultWorkerLimits.liveness.stepMsMin)
  expect(() => readConfig({ HEARTH_STEP_MS_MAX: '1999' })).toThrow('HEARTH_STEP_MS_MAX')
})
