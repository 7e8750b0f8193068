import { expect, test } from 'vitest'
import { WantedModels } from '../../../src/app/wanted-models.ts'
import type { DeviceId, VersionId } from '../../../src/scheduler/ids.ts'

const [one, other] = [1 as VersionId, 2 as VersionId]
const [left, right] = [10 as DeviceId, 11 as DeviceId]

test('a wish is kept once, until the model is unloaded everywhere', () => {
  const wanted = new WantedModels([])
  wanted.add(one, null)
  wanted.add(one, null)
  wanted.add(other, left)
  expect(wanted.all()).toHaveLength(2)
  wanted.remove(one, null)
  expect(wanted.all()).toEqual([{ versionId: other, deviceId: left }])
})

test('unloading from one device leaves the wish for another', () => {
  const wanted = new WantedModels([
    { versionId: one, deviceId: left },
    { versionId: one, deviceId: right },
  ])
  wanted.remove(one, left)
  expect(wanted.all()).toEqual([{ versionId: one, deviceId: right }])
})

test('one wish is dropped and the others stay, also the one for any device', () => {
  const pins = new WantedModels([
    { versionId: one, deviceId: null },
    { versionId: one, deviceId: left },
  ])
  pins.drop(one, left)
  expect(pins.all()).toEqual([{ versionId: one, deviceId: null }])
  pins.add(one, right)
  pins.drop(one, null)
  expect(pins.all()).toEqual([])
})

test('wishes pass on to another version, each once', () => {
  const wanted = new WantedModels([
    { versionId: one, deviceId: null },
    { versionId: one, deviceId: left },
    { versionId: other, deviceId: left },
  ])
  wanted.passOn(one, one)
  expect(wanted.all()).toHaveLength(3)
  wanted.passOn(one, other)
  expect(wanted.all()).toEqual([
    { versionId: other, deviceId: left },
    { versionId: other, deviceId: null },
  ])
})
