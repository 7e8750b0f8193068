import { expect, test } from 'vitest'
import { Catalogue, type CatalogueEntry } from '../../../src/app/catalogue.ts'
import type { AppContext } from '../../../src/app/context.ts'
import { Conflict, ModelTooLarge, NotFound, Overloaded } from '../../../src/app/errors.ts'
import { unloadModel } from '../../../src/app/load-model.ts'
import { pinModel } from '../../../src/app/pin-model.ts'
import { prewarmModel } from '../../../src/app/prewarm-model.ts'
import { reloadWanted } from '../../../src/app/recovery.ts'
import { closeSession, openSession } from '../../../src/app/sessions.ts'
import { Shell } from '../../../src/app/shell.ts'
import { VersionChanges, type VersionChangesParts } from '../../../src/app/version-changes.ts'
import { WantedModels } from '../../../src/app/wanted-models.ts'
import { readConfig } from '../../../src/config/config.ts'
import { createState } from '../../../src/scheduler/core.ts'
import type { SchedulerEvent } from '../../../src/scheduler/events.ts'
import type { DeviceId, SessionId, VersionId, WorkerId } from '../../../src/scheduler/ids.ts'
import { defaultSettings } from '../../../src/scheduler/settings.ts'
import type { ModelId, SessionRecord } from '../../../src/store/records.ts'
import { StoreOverloaded } from '../../../src/store/store.ts'

const mib = 1024 * 1024
const deviceId = 1 as DeviceId

/** A device of 1000 MiB under a real scheduler, and a store that can be made to refuse. */
class Stage {
  readonly told: SchedulerEvent[] = []
  refusal: Error | null = null
  saved: string[] = []
  readonly context: AppContext
  readonly shell: Shell
  readonly #entries = new Map<VersionId, CatalogueEntry>()

  constructor() {
    const broken = (error: unknown): never => {
      throw error
    }
    const recorder = { record: (_: number, event: SchedulerEvent) => void this.told.push(event) }
    this.shell = new Shell(createState(defaultSettings, 100), { now: () => 1000 }, recorder, broken)
    this.shell.start((command) => {
      if (command.type === 'pinDropped') this.context.pins.dropOne(command.versionId, command.deviceId)
    })
    const device = { deviceId, name: 'small', limitBytes: 1000 * mib, coreCount: 1, workerThreads: 1 }
    this.shell.feed({ type: 'deviceAdded', device })
    const entries = [...this.#entries.values()]
    const open = new Map<SessionId, SessionRecord>()
    this.context = {
      shell: this.shell,
      config: readConfig({}),
      clock: { now: () => 1000 },
      ids: { session: () => 7 as SessionId },
      wanted: new WantedModels([]),
      pins: new WantedModels([]),
      store: {
        saveSnapshot: async (json: string) => {
          if (this.refusal) throw this.refusal
          this.saved.push(json)
        },
        insertSession: async () => {},
        readSession: async () => null,
        readVersion: async () => null,
      },
      sessions: {
        count: 0,
        add: (session: SessionRecord) => open.set(session.id, session),
        close: async (id: SessionId) => open.get(id) ?? null,
      },
      catalogue: {
        resolve: (name: string) => [...this.#entries.values()].find(({ model }) => model.name === name) ?? null,
        version: (id: VersionId) => this.#entries.get(id) ?? null,
        current: () => entries,
      },
    } as unknown as AppContext
  }

  model(name: string, weightsMib: number, isRunnable = true): VersionId {
    const versionId = (this.#entries.size + 10) as VersionId
    const spec = {
      versionId,
      modelName: name,
      engine: 'onnx',
      weightsBytes: weightsMib * mib,
      workingBytes: 10 * mib,
      batchLimit: 1,
      holdMs: 0,
      interruptAfterMs: 5,
      componentBytes: [weightsMib * mib],
      componentNames: ['model'],
    }
    this.#entries.set(versionId, {
      model: { id: versionId as number as ModelId, name, task: 'infer' },
      version: { id: versionId, state: isRunnable ? 'READY' : 'REFUSED', sha256: 'ab'.repeat(32) },
      spec: isRunnable ? spec : null,
      problem: isRunnable ? null : 'Its graph is broken.',
    } as unknown as CatalogueEntry)
    if (isRunnable) this.shell.feed({ type: 'versionRegistered', version: spec })
    this.told.length = 0
    return versionId
  }

  entry(versionId: VersionId): CatalogueEntry {
    return this.#entries.get(versionId)!
  }

  /** Whatever the scheduler has asked for so far comes up and is loaded. */
  loadAll(): void {
    for (const { workerId, state } of this.shell.state.workers.values())
      if (state === 'starting') this.shell.feed({ type: 'workerReady', workerId, privateBytes: mib })
    for (const { worker, version } of this.shell.state.residencies.values())
      this.shell.feed({
        type: 'modelLoaded',
        workerId: worker.workerId,
        versionId: version.spec.versionId,
        loadMs: 1,
        weightsBytes: version.spec.weightsBytes,
        privateBytes: mib,
      })
  }

  get events(): string[] {
    return this.told.map(({ type }) => type)
  }
}

test('a pin is written down before it is answered, and the scheduler is told', async () => {
  const stage = new Stage()
  const versionId = stage.model('bge', 100)
  expect(await pinModel(stage.context, 'bge', deviceId, true)).toMatchObject({ name: 'bge' })
  expect(stage.told).toContainEqual({ type: 'pinRequested', versionId, deviceId, pinned: true })
  expect(JSON.parse(stage.saved[0]!)).toMatchObject({ pins: [{ versionId, deviceId }] })
  await pinModel(stage.context, 'bge', null, false)
  expect(JSON.parse(stage.saved[1]!)).toMatchObject({ pins: [] })
  expect(stage.shell.state.versions.get(versionId)!.pins).toEqual([])
})

test('a pin that does not fit beside the others is refused with the bytes, and the decision tells', async () => {
  const stage = new Stage()
  stage.model('bge', 500)
  stage.model('smol', 400)
  await pinModel(stage.context, 'bge', null, true)
  const refusal = await pinModel(stage.context, 'smol', null, true)
  expect(refusal).toBeInstanceOf(ModelTooLarge)
  expect(refusal).toMatchObject({ neededBytes: 400 * mib, availableBytes: 300 * mib })
  expect((refusal as ModelTooLarge).message).toBe(
    'smol cannot be pinned: it needs 400 MiB, and beside bge, pinned already, the best device has 300 MiB for weights.',
  )
  expect([...stage.shell.state.decisions.read()].map(({ kind }) => kind)).toContain('REJECT_PIN')
  expect(stage.context.pins.all()).toHaveLength(1)
})

test('of two pins at the same time that do not fit together, one is refused', async () => {
  const stage = new Stage()
  const bge = stage.model('bge', 500)
  stage.model('smol', 400)
  const answers = await Promise.all(['bge', 'smol'].map((name) => pinModel(stage.context, name, null, true)))
  expect(answers[0]).toMatchObject({ name: 'bge' })
  expect(answers[1]).toBeInstanceOf(ModelTooLarge)
  expect(stage.context.pins.all()).toEqual([{ versionId: bge, deviceId: null }])
  expect(JSON.parse(stage.saved.at(-1)!)).toMatchObject({ pins: [{ versionId: bge, deviceId: null }] })
})

test('a pin that the scheduler cannot keep is no wish any more', async () => {
  const stage = new Stage()
  const versionId = stage.model('bge', 500)
  await pinModel(stage.context, 'bge', deviceId, true)
  for (const { workerId } of stage.shell.state.workers.values())
    stage.shell.feed({ type: 'workerReady', workerId, privateBytes: mib })
  const [{ workerId } = { workerId: 0 as WorkerId }] = stage.shell.state.workers.values()
  // It was larger than its headers said, and its worker is lost.
  stage.shell.feed({ type: 'modelLoaded', workerId, versionId, loadMs: 1, weightsBytes: 1900 * mib, privateBytes: mib })
  stage.shell.feed({ type: 'workerExited', workerId, cause: 'signal' })
  expect([...stage.shell.state.decisions.read()].map(({ kind }) => kind)).toContain('REJECT_PIN')
  expect(stage.context.pins.all()).toEqual([])
})

test('after a restart with less memory, what cannot be pinned any more is no wish any more', async () => {
  const stage = new Stage()
  const versionId = stage.model('huge', 2000)
  stage.context.pins.add(versionId, deviceId)
  await reloadWanted(stage.context)
  expect(stage.context.pins.all()).toEqual([])
})

test('unpinned on the device where it is, it is pinned no more, though it was pinned on none in particular', async () => {
  const stage = new Stage()
  const versionId = stage.model('bge', 100)
  await pinModel(stage.context, 'bge', null, true)
  stage.loadAll()
  stage.loadAll()
  await pinModel(stage.context, 'bge', deviceId, false)
  expect(stage.shell.state.versions.get(versionId)!.pins).toEqual([])
  expect(JSON.parse(stage.saved.at(-1)!)).toMatchObject({ pins: [] })
})

test('what could not be written down leaves pins as they were', async () => {
  const stage = new Stage()
  const versionId = stage.model('bge', 100)
  await pinModel(stage.context, 'bge', deviceId, true)
  stage.refusal = new StoreOverloaded('storage', 100, 'full')
  for (const [where, pinned] of [
    [null, true],
    [deviceId, false],
    [null, false],
  ] as const) {
    expect(await pinModel(stage.context, 'bge', where, pinned)).toBeInstanceOf(Overloaded)
    expect(stage.context.pins.all()).toEqual([{ versionId, deviceId }])
    expect(stage.shell.state.versions.get(versionId)!.pins).toEqual([deviceId])
  }
})

test('what could never run, is not known, or could not be written down is not pinned', async () => {
  const stage = new Stage()
  stage.model('broken', 1, false)
  stage.model('bge', 1)
  stage.model('huge', 2000)
  expect(await pinModel(stage.context, 'broken', null, true)).toBeInstanceOf(Conflict)
  expect(await pinModel(stage.context, 'huge', null, true)).toBeInstanceOf(ModelTooLarge)
  expect(await pinModel(stage.context, 'nobody', null, true)).toBeInstanceOf(NotFound)
  expect(await pinModel(stage.context, 'bge', 9 as DeviceId, true)).toBeInstanceOf(NotFound)
  stage.refusal = new StoreOverloaded('storage', 100, 'full')
  expect(await pinModel(stage.context, 'bge', null, true)).toBeInstanceOf(Overloaded)
  expect(stage.context.pins.all()).toEqual([])
})

test('what is pinned is not unloaded before it is unpinned', async () => {
  const stage = new Stage()
  const versionId = stage.model('bge', 100)
  await pinModel(stage.context, 'bge', null, true)
  stage.loadAll()
  expect(await unloadModel(stage.context, 'bge', null)).toMatchObject({
    message: 'bge is pinned on small; unpin it first: pinModel with pinned: false.',
  })
  await pinModel(stage.context, 'bge', null, false)
  expect(await unloadModel(stage.context, 'bge', null)).toMatchObject({ name: 'bge' })
  expect(stage.told).toContainEqual({ type: 'unloadRequested', versionId, deviceId: null })
})

test('a pin passes on to the files that replace those of the model', () => {
  const stage = new Stage()
  const before = stage.model('bge', 100)
  stage.context.pins.add(before, null)
  const changes = new VersionChanges({
    ...stage.context,
    catalogue: new Catalogue(),
    models: { registered: () => {} },
    logger: { info: () => {} },
  } as unknown as VersionChangesParts)
  changes.adopt(stage.entry(before), null)
  const after = stage.model('bge-too', 100)
  changes.adopt(stage.entry(after), before)
  changes.loadWanted(after)
  expect(stage.context.pins.all()).toEqual([{ versionId: after, deviceId: null }])
  expect(stage.told).toMatchObject([
    { type: 'versionReplaced', versionId: before },
    { type: 'pinRequested', versionId: before, pinned: false },
    { type: 'versionRegistered' },
    { type: 'pinRequested', versionId: after, pinned: true },
  ])
})

test('after a restart what was pinned is pinned', async () => {
  const stage = new Stage()
  const versionId = stage.model('bge', 100)
  stage.context.pins.add(versionId, deviceId)
  stage.context.pins.add(versionId, 9 as DeviceId)
  await reloadWanted(stage.context)
  expect(stage.told).toEqual([{ type: 'pinRequested', versionId, deviceId, pinned: true }])
})

test('a hint is passed on, and says what comes of it', () => {
  const stage = new Stage()
  const versionId = stage.model('bge', 100)
  const answer = prewarmModel(stage.context, { model: 'bge', withinSeconds: 20, probability: 0.5 })
  expect(answer).toEqual({ accepted: true, reason: 'bge is loaded now: there is room for it.' })
  expect(stage.told).toContainEqual({ type: 'hintGiven', versionId, withinMs: 20_000, probability: 0.5 })
})

test('a hint at what could never run, or in numbers that mean nothing, is not taken', () => {
  const stage = new Stage()
  stage.model('broken', 1, false)
  stage.model('huge', 2000)
  const hint = (model: string, more: object = {}) =>
    prewarmModel(stage.context, { model, withinSeconds: 15, probability: 1, ...more })
  expect(hint('broken')).toMatchObject({ accepted: false, reason: expect.stringContaining('Its graph is broken.') })
  expect(hint('huge')).toMatchObject({ accepted: false, reason: expect.stringMatching(/^huge needs 20\d\d MiB/) })
  expect(hint('nobody')).toBeInstanceOf(NotFound)
  expect(hint('huge', { probability: 2, withinSeconds: 0 })).toMatchObject({
    fields: [{ path: 'withinSeconds' }, { path: 'probability' }],
  })
  expect(stage.told).toEqual([])
})

test('a session with a model in mind is a hint, and the scheduler hears of its beginning and end', async () => {
  const stage = new Stage()
  const versionId = stage.model('bge', 100)
  const input = { priorityClass: 'interactive' as const, weight: 1, idleTimeoutSeconds: 60 }
  await openSession(stage.context, { ...input, model: 'bge' })
  expect(stage.told).toMatchObject([
    { type: 'sessionOpened', sessionId: 7, versionId },
    { type: 'hintGiven', versionId, probability: 1 },
  ])
  await closeSession(stage.context, 7 as SessionId)
  expect(stage.told.at(-1)).toEqual({ type: 'sessionClosed', sessionId: 7 })
  stage.told.length = 0
  await openSession(stage.context, input)
  expect(stage.events).toEqual(['sessionOpened'])
})
