import { expect, test } from 'vitest'
import { readConfig, unknownSettings } from '../../../src/config/config.ts'

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
