import { expect, test } from 'vitest'
import type { AcceptedRequest } from '../../../src/app/request-artifacts.ts'
import { planTasks, type WantedTasks, wantedTasks } from '../../../src/app/task-graph.ts'
import { pictureModel } from '../../support/picture-models.ts'

const { graph } = pictureModel()
const everything: WantedTasks = { pictures: 1, upscale: true, check: true }

/** `node item`, and behind the arrow those that it follows. */
function outline(wanted: Partial<WantedTasks>, nodes = graph): readonly string[] {
  const tasks = planTasks(nodes, { ...everything, ...wanted })
  const nameOf = (place: number) => `${tasks[place]?.node} ${tasks[place]?.item}`
  return tasks.map(({ after }, place) => [nameOf(place), ...after.map(nameOf)].join(' <- '))
}

test('one picture: a task of each node', () => {
  expect(outline({})).toEqual([
    'encode 0',
    'denoise 0 <- encode 0',
    'decode 0 <- denoise 0',
    'check 0 <- decode 0',
    'upscale 0 <- decode 0',
    'write 0 <- decode 0 <- upscale 0',
  ])
})

test('several pictures: each its own tasks, which follow what is done once and those of the same picture', () => {
  expect(outline({ pictures: 2, upscale: false, check: false })).toEqual([
    'encode 0',
    'denoise 0 <- encode 0',
    'denoise 1 <- encode 0',
    'decode 0 <- denoise 0',
    'decode 1 <- denoise 1',
    'write 0 <- decode 0',
    'write 1 <- decode 1',
  ])
  expect(outline({ pictures: 16 })).toHaveLength(1 + 16 * 5)
})

test('what is not wanted is left out, of whoever would follow it too', () => {
  const nodes = (wanted: Partial<WantedTasks>) => planTasks(graph, { ...everything, ...wanted }).map(({ node }) => node)
  expect(nodes({ check: false })).toEqual(['encode', 'denoise', 'decode', 'upscale', 'write'])
  expect(nodes({ upscale: false })).toEqual(['encode', 'denoise', 'decode', 'check', 'write'])
  expect(outline({ upscale: false }).at(-1)).toBe('write 0 <- decode 0')
})

test('an output is held when somebody takes it; those of files and verdicts come out', () => {
  const held = (wanted: Partial<WantedTasks>) =>
    planTasks(graph, { ...everything, ...wanted }).flatMap(({ node, isHeld }) => (isHeld ? node : []))
  expect(held({})).toEqual(['encode', 'denoise', 'decode', 'upscale'])
  const upscaledOnly = graph.map((node) => (node.node === 'write' ? { ...node, after: ['upscale'] } : node))
  expect(planTasks(upscaledOnly, { ...everything, upscale: false, check: false }).at(-2)).toMatchObject({
    node: 'decode',
    isHeld: false,
  })
})

test('stages, programs and components are the manifest’s', () => {
  const tasks = planTasks(graph, everything)
  expect(tasks.map(({ stage }) => stage)).toEqual([
    'inference',
    'inference',
    'inference',
    'postprocessing',
    'postprocessing',
    'postprocessing',
  ])
  expect(tasks[1]).toMatchObject({ program: 'denoise', components: ['unet', 'preview_decoder'] })
})

test('whoever comes first in the list, each task stands behind those that it follows', () => {
  const tasks = planTasks(graph.toReversed(), { ...everything, pictures: 3 })
  for (const [place, { after }] of tasks.entries()) expect(Math.max(-1, ...after)).toBeLessThan(place)
})

test('a model of one node has one task, as ever', () => {
  const nodes = [{ node: 'n', program: 'noop', components: [], after: [] }]
  expect(planTasks(nodes, wantedTasks({}))).toEqual([
    { node: 'n', program: 'noop', components: [], item: 0, stage: 'inference', isHeld: false, after: [] },
  ])
})

test('what is wanted is read from the request and its terms', () => {
  const request = (upscale: number, policy: 'off' | 'flag') =>
    ({ textToImage: { count: 3, upscale }, terms: { safety: { policy } } }) as AcceptedRequest
  expect(wantedTasks(request(1, 'off'))).toEqual({ pictures: 3, upscale: false, check: false })
  expect(wantedTasks(request(2, 'flag'))).toEqual({ pictures: 3, upscale: true, check: true })
})
