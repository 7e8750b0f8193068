import { expect, test } from 'vitest'
import type { AppContext } from '../../../src/app/context.ts'
import { Overloaded } from '../../../src/app/errors.ts'
import { WantedModels } from '../../../src/app/wanted-models.ts'
import { changeWishes } from '../../../src/app/wishes.ts'
import { createState } from '../../../src/scheduler/core.ts'
import type { DeviceId, VersionId } from '../../../src/scheduler/ids.ts'
import { defaultSettings } from '../../../src/scheduler/settings.ts'
import { StoreOverloaded } from '../../../src/store/store.ts'

const [first, second, third] = [1, 2, 3] as [VersionId, VersionId, VersionId]
const device = 1 as DeviceId

test('a wish that could not be written down does not stand, and takes no other with it that came meanwhile', async () => {
  const wanted = new WantedModels([{ versionId: first, deviceId: device }])
  const context = {
    shell: { state: createState(defaultSettings, 1) },
    wanted,
    pins: new WantedModels([]),
    store: { saveSnapshot: () => Promise.reject(new StoreOverloaded('storage', 100, 'full')) },
  } as unknown as AppContext
  const loading = changeWishes(context, wanted, () => wanted.add(second, null))
  const unloading = changeWishes(context, wanted, () => wanted.remove(first, null))
  wanted.add(third, null)
  expect(await loading).toBeInstanceOf(Overloaded)
  expect(await unloading).toBeInstanceOf(Overloaded)
  expect(wanted.all()).toEqual([
    { versionId: third, deviceId: null },
    { versionId: first, deviceId: device },
  ])
})
