import { describe, expect, test } from 'vitest'
import { readManifest } from '../../../../src/runtime/models/manifest.ts'
import { component, pictureGraph, pictureModelText, upscalerText } from '../../../support/picture-models.ts'

function problemsOf(text: string): readonly string[] {
  const read = readManifest(text)
  return 'problems' in read ? read.problems : []
}

/** The graph with one node changed; null = without it. */
function graphWith(name: string, change: object | null): object {
  const nodes = pictureGraph.flatMap((node) => (node.node === name ? (change ? [{ ...node, ...change }] : []) : [node]))
  return { graph: nodes }
}

test('a model of several nodes is taken, in whatever order they are listed', () => {
  expect(problemsOf(pictureModelText())).toEqual([])
  expect(problemsOf(pictureModelText({ graph: pictureGraph.toReversed() }))).toEqual([])
  expect(problemsOf(upscalerText())).toEqual([])
})

test('nodes may be called anything: programs are known by their names', () => {
  const renamed = JSON.stringify(pictureGraph).replaceAll(/"(encode|denoise|decode|write)"/g, (name, word) =>
    word === 'denoise' ? name : `"my-${word}"`,
  )
  expect(problemsOf(pictureModelText({ graph: JSON.parse(renamed) }))).toEqual([])
})

describe('what is wrong with a graph is named by its place', () => {
  test.each<[string, object, string]>([
    [
      'a circle',
      graphWith('encode', { after: ['decode'] }),
      'graph: nodes wait for each other in a circle: encode -> decode -> denoise -> encode',
    ],
    ['a node that is not there', graphWith('decode', { after: ['paint'] }), 'graph.2.after.0: there is no node paint'],
    ['a name that is used twice', graphWith('decode', { node: 'denoise' }), 'graph.2.node: is used twice'],
    ['something else than pictures', graphWith('decode', { each: 'frame' }), 'graph.2.each: can only be "picture"'],
    ['an unknown condition', graphWith('check', { when: 'night' }), 'graph.3.when: can only be "upscale" or "check"'],
    [
      'an unknown stage',
      graphWith('write', { stage: 'later' }),
      'graph.5.stage: can only be "inference" or "postprocessing"',
    ],
    ['a batch of nobody', graphWith('denoise', { batchLimit: 0 }), 'graph.1.batchLimit'],
    [
      'one task after those of each picture',
      graphWith('decode', { each: undefined }),
      'graph.2.after: decode is done once and denoise for each picture',
    ],
    [
      'nobody who writes',
      graphWith('write', null),
      'graph: must have exactly one node of program write_picture or upscale_image',
    ],
    [
      'two who write',
      { graph: [...pictureGraph, { ...pictureGraph[5], node: 'again' }] },
      'graph: must have exactly one node of program write_picture',
    ],
    [
      'pictures that are written sometimes',
      graphWith('write', { when: 'upscale' }),
      'graph.5.when: every picture is written',
    ],
    [
      'a verdict that stays in the worker',
      graphWith('write', { after: ['decode', 'check'] }),
      "graph.5.after: the output of check is the job's; nothing may follow it",
    ],
    ['a check of one picture of many', graphWith('check', { each: undefined, after: ['encode'] }), 'graph.3.each'],
    [
      'checks of large pictures only',
      graphWith('check', { when: 'upscale' }),
      'graph.3.when: every picture is checked',
    ],
    ['no size', { options: { upscale: { factors: [2] } } }, 'options.sizes: must name a size'],
    ['a default that cannot be made', { defaults: { width: 63 } }, 'defaults: 63 x 64 is none of options.sizes'],
    [
      'factors that nobody makes',
      { ...graphWith('upscale', { when: undefined }) },
      'graph: has no node with when: "upscale"',
    ],
    [
      'a check that nobody has described',
      { options: { sizes: [{ width: 64, height: 64 }], upscale: { factors: [2] } } },
      'options.safety: must say how check_picture checks',
    ],
    ['a node that no factor wants', { options: { sizes: [{ width: 64, height: 64 }] } }, 'options.upscale: must offer'],
    [
      'a threshold that is no share',
      { options: { safety: { label: 'nsfw', threshold: 2 } } },
      'options.safety.threshold',
    ],
  ])('%s', (_, change, problem) => {
    expect(problemsOf(pictureModelText(change)).join('\n')).toContain(problem)
  })

  test('components that depend on each other in a circle', () => {
    const [one, two] = ['one', 'two'].map((name) => component(name))
    const components = [
      { ...one, dependsOn: ['two'] },
      { ...two, dependsOn: ['one'] },
    ]
    expect(
      problemsOf(
        upscalerText({ components, graph: [{ node: 'u', program: 'upscale_image', components: [], after: [] }] }),
      ),
    ).toEqual(['components: depend on each other in a circle: one -> two -> one'])
  })

  test('an upscaler that makes nothing larger', () => {
    expect(problemsOf(upscalerText({ options: { upscale: { factors: [1] } } }))).toEqual([
      'options.upscale: must offer factors above 1: { "factors": [2] }',
    ])
  })

  test('several ends of a job that has one output, and pictures of a job that has none', () => {
    const graph = [
      { node: 'read', program: 'embed_text', components: [], after: [] },
      { node: 'one', program: 'embed_text', components: [], after: ['read'], each: 'picture' },
      { node: 'two', program: 'embed_text', components: [], after: ['read'] },
    ]
    expect(problemsOf(upscalerText({ task: 'embedText', graph }))).toEqual([
      'graph.1.each: is for textToImage only; this model does embedText',
      'graph: must end with one node, and one, two are followed by none',
    ])
  })
})

describe('a default that no request could ask for is named', () => {
  test.each<[string, object, string]>([
    ['no steps', { steps: 0 }, 'defaults.steps: must be a whole number from 1 to 50'],
    ['more steps than allowed', { steps: 51 }, 'defaults.steps: must be a whole number from 1 to 50'],
    ['half a step', { steps: 1.5 }, 'defaults.steps: must be a whole number from 1 to 50'],
    ['too close a guidance', { guidance: 31 }, 'defaults.guidance: must be a number from 0 to 30'],
    ['a guidance in words', { guidance: 'much' }, 'defaults.guidance: must be a number from 0 to 30'],
    ['another factor', { upscale: 3 }, 'defaults.upscale: must be 1 or one of options.upscale.factors'],
    ['no text', { negativePrompt: 1 }, 'defaults.negativePrompt: must be a text'],
  ])('%s', (_, defaults, problem) => {
    expect(problemsOf(pictureModelText({ defaults }))).toEqual([problem])
  })

  test('and each limit itself is taken', () => {
    for (const defaults of [{}, { steps: 50, guidance: 30, upscale: 4 }, { steps: 1, guidance: 0, upscale: 1 }])
      expect(problemsOf(pictureModelText({ defaults }))).toEqual([])
  })
})
