import { expect, test } from 'vitest'
import { routingPolicies } from '../../../../../src/scheduler/placement/policies/policies.ts'
import { routingNames } from '../../../../../src/scheduler/settings.ts'
import { mib } from '../../scheduler-under-test.ts'
import { RoutingUnderTest } from './candidates.ts'

const gib = 1024 * mib

test('every routing that can be set has a policy, but the default, which is none among others', () => {
  expect(routingNames.filter((name) => routingPolicies[name] === null)).toEqual(['ect'])
})

test('every policy takes the only device, and none where there is no candidate', () => {
  for (const name of routingNames) {
    if (name === 'ect') continue
    expect(new RoutingUnderTest(1).place(name)).toBe(0)
    expect(new RoutingUnderTest(0).choose(name)).toBeNull()
  }
})

test('scores begin with the winner, and are of as many parts as their scheme says', () => {
  for (const name of routingNames) {
    const choice = new RoutingUnderTest(6).choose(name)
    if (name === 'ect') continue
    expect(choice!.scores[0]!.deviceId).toBe(choice!.device.spec.deviceId)
    expect(choice!.scores).toHaveLength(4)
  }
})

test('round robin goes around by device, whatever devices have to do', () => {
  const routing = new RoutingUnderTest(3)
  routing.set(1, { outstandingMs: 100_000, availableBytes: 0 })
  expect(routing.places('round-robin', 5)).toEqual([0, 1, 2, 0, 1])
})

test('weighted round robin goes to devices as often as they have memory available, and evenly in between', () => {
  const routing = new RoutingUnderTest(2)
  routing.set(0, { availableBytes: 3 * gib })
  routing.set(1, { availableBytes: gib })
  const places = routing.places('wrr', 8)
  expect(places.filter((place) => place === 0)).toHaveLength(6)
  expect(places.slice(0, 4)).toEqual([0, 0, 1, 0])
})

test('a device that is fuller than four fifths keeps a fifth of its weight', () => {
  const routing = new RoutingUnderTest(2)
  routing.set(1, { availableBytes: 0.75 * gib })
  const scores = routing.choose('wrr')!.scores
  expect(scores.map(({ parts }) => parts[0])).toEqual([1, (0.75 / 4) * 0.2])
})

test('weights are renewed every five seconds, not at every job', () => {
  const routing = new RoutingUnderTest(2)
  routing.choose('wrr')
  routing.set(0, { availableBytes: 0 })
  routing.now = 4999
  expect(routing.choose('wrr')!.scores.map(({ parts }) => parts[0])).toEqual([1, 1])
  routing.now = 5000
  expect(routing.choose('wrr')!.scores.map(({ parts }) => parts[0])).toContain(0)
})

test('least loaded counts work before memory', () => {
  const routing = new RoutingUnderTest(3)
  routing.set(0, { outstandingMs: 500 })
  routing.set(1, { outstandingMs: 100, availableBytes: 2 * gib })
  routing.set(2, { outstandingMs: 100, availableBytes: 3 * gib })
  expect(routing.place('least-loaded')).toBe(2)
})

test('least loaded keeps a floor free beside the model, unless nobody could', () => {
  const routing = new RoutingUnderTest(2)
  routing.set(0, { availableBytes: gib + 99 * mib })
  routing.set(1, { availableBytes: gib + 100 * mib, outstandingMs: 500 })
  expect(routing.choose('least-loaded')).toMatchObject({ isDegraded: false })
  expect(routing.place('least-loaded')).toBe(1)
  routing.set(1, { availableBytes: gib, outstandingMs: 500 })
  expect(routing.place('least-loaded')).toBe(0)
  expect(routing.choose('least-loaded')).toMatchObject({ isDegraded: true })
})

test('affinity goes where the model is, however long the queue there', () => {
  const routing = new RoutingUnderTest(3)
  routing.set(1, { isResident: true, loadMs: 0, outstandingMs: 100_000 })
  expect(routing.place('affinity')).toBe(1)
})

test('a device that suits hardly is taken as a makeshift, and one that does not suit is not', () => {
  const routing = new RoutingUnderTest(1)
  routing.set(0, { failRate: 0.5, freeBytes: 0, loadMs: 20_000 })
  expect(routing.choose('affinity')).toMatchObject({ isDegraded: true })
  routing.set(0, { failRate: 1, freeBytes: 0, loadMs: 20_000, temperatureFactor: 0.2, speed: 0.3 })
  expect(routing.choose('affinity')).toBeNull()
})

test('capacity keeps a fifth of the memory for interactive work', () => {
  const routing = new RoutingUnderTest(1)
  routing.set(0, { availableBytes: 1.5 * gib })
  expect(routing.place('capacity', { class: 'interactive' })).toBe(0)
  expect(routing.choose('capacity', { class: 'batch' })).toBeNull()
  routing.set(0, { availableBytes: 1.9 * gib })
  expect(routing.place('capacity', { class: 'batch' })).toBe(0)
})

test('a batch model that is too large for the reserve to stay free is placed as a makeshift', () => {
  const routing = new RoutingUnderTest(1)
  const request = { class: 'batch', totalBytes: 3.5 * gib } as const
  expect(routing.choose('capacity', request)).toMatchObject({ isDegraded: true })
})

test('capacity fills a rest that nothing else could use, rather than break into room for what is asked for', () => {
  const routing = new RoutingUnderTest(2)
  const { state } = routing.scheduler
  const large = state.versions.get(routing.scheduler.version({ weightsBytes: 2 * gib, workingBytes: 0 }))!
  large.learnt.demand.counts.fill(1)
  large.learnt.demand.lastAt = 0
  routing.set(0, { availableBytes: 2 * gib })
  routing.set(1, { availableBytes: 1.5 * gib })
  expect(routing.place('capacity')).toBe(1)
})

test('performance takes the fastest device that is ready, until its queue makes it seem slower', () => {
  const routing = new RoutingUnderTest(3)
  routing.set(0, { execMs: 500, isStaffed: false })
  routing.set(1, { execMs: 1000 })
  routing.set(2, { execMs: 1500 })
  expect(routing.place('performance')).toBe(1)
  routing.set(1, { execMs: 1000, outstandingMs: 6000 })
  expect(routing.place('performance')).toBe(2)
})

test('heat makes a device slower', () => {
  const routing = new RoutingUnderTest(2)
  routing.set(0, { temperatureFactor: 0.5 })
  for (const name of ['performance', 'complexity', 'adaptive'] as const) expect(routing.place(name)).toBe(1)
})

test('adaptive lets one batch job in a hundred go elsewhere, and no interactive one', () => {
  const routing = new RoutingUnderTest(4)
  routing.set(2, { isResident: true, loadMs: 0 })
  const elsewhere = routing.places('adaptive', 5000, { class: 'batch' }).filter((place) => place !== 2)
  expect(elsewhere.length).toBeGreaterThan(20)
  expect(elsewhere.length).toBeLessThan(100)
  expect(routing.places('adaptive', 1000)).toEqual(Array.from({ length: 1000 }, () => 2))
})
