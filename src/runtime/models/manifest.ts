/** `model.json`: what a model folder says of itself. Unknown fields are kept: they may mean something to an engine or a program. */
import { isAbsolute } from 'node:path/posix'
import { z } from 'zod'
import { circle, dependencyOrder } from './dependency-order.ts'
import { graphProblems } from './graph-problems.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')
const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must match [a-z0-9][a-z0-9._-]{0,63}')
const wholeNumber = z.number().int().min(0)
/** Engines count in 32 bits. */
const positiveNumber = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1)
const milliseconds = z.number().min(0).max(60_000)
/** More is a mistake, or meant as one; what is added up of so many stays exact. */
export const bytesMax = 2 ** 40
const byteCount = wholeNumber.max(bytesMax)
const componentsMax = 64
const filesMax = 1024
const nodesMax = 32
/** Pixels. A VAE of more would need more memory than most machines have. */
const side = z.number().int().min(1).max(8192)

const file = z.looseObject({
  path: z.string().refine(staysBelow, 'must be a relative path that stays inside the model folder'),
  sha256,
  sizeBytes: byteCount,
  /** `weights` and `graph` are what an engine maps or allocates; so is a file without a role. */
  role: z.string().optional(),
})

const component = z.looseObject({
  name,
  format: z
    .string()
    .min(1)
    .refine(
      (format) => !/pickle|^pt$|^pth$|^ckpt$/i.test(format),
      'pickle formats can run code when they are opened, so they are refused',
    ),
  /** Where it is not the model's. */
  engine: name.optional(),
  files: z.array(file).min(1),
  dependsOn: z.array(name).max(componentsMax),
})

const node = z.looseObject({
  node: name,
  program: name,
  components: z.array(name).max(componentsMax),
  /** Nodes whose outputs it takes; one that a job leaves out is left out here too. */
  after: z.array(name).max(nodesMax),
  /** A task for each picture of a job; left out: one for all of them. */
  each: z.literal('picture', 'can only be "picture"').optional(),
  /** Only in jobs whose pictures are made larger, or checked for safety. */
  when: z.enum(['upscale', 'check'], 'can only be "upscale" or "check"').optional(),
  /** Left out: `inference`. */
  stage: z.enum(['inference', 'postprocessing'], 'can only be "inference" or "postprocessing"').optional(),
  /** States of this program that may share a step, where that is fewer than the model's limit. */
  batchLimit: positiveNumber.optional(),
})

/** What the scheduler and the validation of requests may rely on. */
const limits = z.looseObject({
  /** States that may share a step. */
  batchLimit: positiveNumber.optional(),
  /** How long a batch that is not full may wait for more. */
  holdMs: milliseconds.optional(),
  /** A running batch-class step gives way to interactive work if it would last longer. */
  interruptAfterMs: milliseconds.optional(),
  maxTokens: positiveNumber.optional(),
  maxTexts: positiveNumber.optional(),
  maxTokensPerText: positiveNumber.optional(),
  /** Of denoising, and of pictures, that one request may ask for. */
  maxSteps: positiveNumber.max(10_000).optional(),
  maxCount: positiveNumber.max(256).optional(),
  /** Of a picture that upscaleImage makes. */
  maxResultPixels: positiveNumber.optional(),
})

/** What engines are told; the fields here are also planned with. */
const options = z.looseObject({
  /** Sequences that the engine runs at once, each with a context of `contextTokens`. */
  slots: positiveNumber.optional(),
  contextTokens: positiveNumber.optional(),
  /** Private memory beside the weights, where nothing better is known. */
  workingBytes: byteCount.optional(),
  /** Of pictures that the model makes, pixels. */
  sizes: z.array(z.looseObject({ width: side, height: side })).optional(),
  /** By how much it can make pictures larger. */
  upscale: z.looseObject({ factors: z.array(z.number().int().min(1).max(16)) }).optional(),
  /** A picture that has `threshold` or more of this label is unsafe. */
  safety: z.looseObject({ label: z.string().min(1), threshold: z.number().min(0).max(1).optional() }).optional(),
})

const manifest = z
  .looseObject({
    name,
    /** Kind of job that it runs, as in the API: `generateText`, `embedText`, ... or `program`. */
    task: z.string().min(1),
    license: z.string().nullable().default(null),
    engine: name,
    /** None for a program that computes without weights. */
    components: z.array(component).max(componentsMax),
    /** In any order; see `after`. */
    graph: z.array(node).min(1).max(nodesMax),
    defaults: z.record(z.string(), z.unknown()).default({}),
    options: options.default({}),
    limits: limits.default({}),
    examplePrompts: z.array(z.string()).default([]),
    /** Where set-up takes the files from. */
    source: z.array(z.unknown()).default([]),
  })
  .superRefine((value, context) => {
    const report = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message })
    reportDuplicates(
      value.components.map((part) => part.name),
      (index) => report(['components', index, 'name'], 'is used twice'),
    )
    const components = new Set(value.components.map((part) => part.name))
    for (const [index, part] of value.components.entries()) {
      for (const [place, wanted] of part.dependsOn.entries())
        if (!components.has(wanted))
          report(['components', index, 'dependsOn', place], `there is no component ${wanted}`)
    }
    const files = value.components.reduce((sum, part) => sum + part.files.length, 0)
    if (files > filesMax) report(['components'], `have ${files} files; at most ${filesMax} are read`)
    for (const [index, part] of value.graph.entries())
      for (const [place, wanted] of part.components.entries())
        if (!components.has(wanted)) report(['graph', index, 'components', place], `there is no component ${wanted}`)
    const dependencies = dependencyOrder(value.components.map((part) => ({ name: part.name, needs: part.dependsOn })))
    if ('cycle' in dependencies)
      report(['components'], `depend on each other in a circle: ${circle(dependencies.cycle)}`)
    for (const { path, message } of graphProblems(value)) report(path, message)
  })

export type Manifest = Readonly<z.infer<typeof manifest>>
export type ManifestComponent = Manifest['components'][number]
export type ManifestFile = ManifestComponent['files'][number]

/** The manifest, or everything that is wrong with it, each with the path of its field. */
export function readManifest(text: string): { readonly manifest: Manifest } | { readonly problems: readonly string[] } {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return { problems: [`it is not JSON: ${error instanceof Error ? error.message : String(error)}`] }
  }
  const result = manifest.safeParse(json)
  if (result.success) return { manifest: result.data }
  return { problems: result.error.issues.map((issue) => `${issue.path.join('.') || 'manifest'}: ${issue.message}`) }
}

/** A relative path that cannot leave the folder that it is joined to, links aside. */
export function staysBelow(path: string): boolean {
  return (
    path !== '' &&
    !isAbsolute(path) &&
    !path.includes('\\') &&
    !path.includes('\0') &&
    path.split('/').every((part) => part !== '..' && part !== '.' && part !== '')
  )
}

function reportDuplicates(names: readonly string[], report: (index: number) => void): void {
  for (const [index, value] of names.entries()) if (names.indexOf(value) !== index) report(index)
}
