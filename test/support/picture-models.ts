/** Manifests of models that make pictures: whole, small, and without files that anybody would read. */
import { type Manifest, readManifest } from '../../src/runtime/models/manifest.ts'

const postprocessing = { each: 'picture', stage: 'postprocessing' } as const

/** As the starter model's. */
export const pictureGraph = [
  { node: 'encode', program: 'encode_text', components: ['text_encoder'], after: [] },
  {
    node: 'denoise',
    program: 'denoise',
    components: ['unet', 'preview_decoder'],
    after: ['encode'],
    each: 'picture',
    batchLimit: 2,
  },
  { node: 'decode', program: 'decode_latents', components: ['vae_decoder'], after: ['denoise'], each: 'picture' },
  {
    node: 'check',
    program: 'check_picture',
    components: ['safety_checker'],
    after: ['decode'],
    when: 'check',
    ...postprocessing,
  },
  {
    node: 'upscale',
    program: 'upscale_picture',
    components: ['upscaler'],
    after: ['decode'],
    when: 'upscale',
    ...postprocessing,
  },
  { node: 'write', program: 'write_picture', components: [], after: ['decode', 'upscale'], ...postprocessing },
]

const componentNames = ['text_encoder', 'unet', 'vae_decoder', 'preview_decoder', 'upscaler', 'safety_checker']

export function component(name: string, sizeBytes = 100): object {
  const files = [{ path: `${name}.onnx`, sha256: '0'.repeat(64), sizeBytes, role: 'graph' }]
  return { name, format: 'onnx', files, dependsOn: [] }
}

/** `changes` are laid over the manifest as its text has it. */
export function pictureModelText(changes: object = {}): string {
  return JSON.stringify({
    name: 'painter',
    task: 'textToImage',
    engine: 'onnx',
    components: componentNames.map((name) => component(name)),
    graph: pictureGraph,
    defaults: { steps: 20, guidance: 3, width: 64, height: 64 },
    options: {
      sizes: [
        { width: 64, height: 64 },
        { width: 64, height: 96 },
      ],
      upscale: { factors: [2, 4] },
      safety: { label: 'nsfw', threshold: 0.6 },
    },
    limits: { batchLimit: 8, maxSteps: 50, maxCount: 16 },
    ...changes,
  })
}

export function upscalerText(changes: object = {}): string {
  return JSON.stringify({
    name: 'upscaler',
    task: 'upscaleImage',
    engine: 'onnx',
    components: [component('upscaler')],
    graph: [{ node: 'upscale', program: 'upscale_image', components: ['upscaler'], after: [] }],
    options: { upscale: { factors: [2] } },
    ...changes,
  })
}

export function pictureModel(changes: object = {}): Manifest {
  return manifestFrom(pictureModelText(changes))
}

export function upscalerModel(changes: object = {}): Manifest {
  return manifestFrom(upscalerText(changes))
}

function manifestFrom(text: string): Manifest {
  const read = readManifest(text)
  if ('problems' in read) throw new Error(read.problems.join('\n'))
  return read.manifest
}
