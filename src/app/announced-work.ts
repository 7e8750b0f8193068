/**
 * How much work a request announces, in units of its task: steps over 64 x 64 pixels, tokens, texts. The scheduler learns what a unit of a model costs, so that
 * units need be comparable only within one model. Whatever cannot be told beforehand is one unit.
 */
import type { AcceptedRequest } from './request-artifacts.ts'

const pixelsPerUnit = 64 * 64
const bytesPerToken = 4

export function announcedWork({ textToImage, generateText, embedText }: AcceptedRequest): number {
  if (textToImage) {
    const { steps, count, width, height } = textToImage
    return Math.max(1, (steps * count * width * height) / pixelsPerUnit)
  }
  if (generateText) return Math.max(1, promptBytes(generateText) / bytesPerToken + generateText.maxTokens)
  return embedText ? Math.max(1, embedText.texts.length) : 1
}

function promptBytes({ prompt, messages }: NonNullable<AcceptedRequest['generateText']>): number {
  const texts = messages?.map(({ content }) => content) ?? [prompt ?? '']
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}
