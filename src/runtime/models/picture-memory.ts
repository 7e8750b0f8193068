/** What a text-to-image model will take beside its weights, planned from the pictures that it makes. */
import { bytesMax, type Manifest } from './manifest.ts'

/** Of each component: what an engine holds for a graph that has been opened, without its weights. */
const sessionBytes = 8 * 1024 * 1024
/**
 * The last block of a VAE's decoder is the widest place of the whole pipeline: feature maps of 128 channels as large as the picture, of which three lie in memory at
 * once (what a convolution reads, what it writes, and what is added to it), in float32.
 */
const bytesPerPixel = 3 * 128 * 4

/** Pixels of the largest picture, of as many pictures as may share a step; and the sessions of all components. Measured values replace it. */
export function pictureWorkingBytes({ components, graph, options, limits }: Manifest): number {
  const pixels = Math.max(0, ...(options.sizes ?? []).map(({ width, height }) => width * height))
  const shared = graph
    .filter(({ each }) => each === 'picture')
    .map(({ batchLimit }) => Math.min(batchLimit ?? bytesMax, limits.batchLimit ?? 1))
  const bytes = components.length * sessionBytes + pixels * bytesPerPixel * Math.max(1, ...shared)
  return Math.min(bytes, bytesMax)
}
