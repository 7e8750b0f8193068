import { builder } from './builder.ts'
import { encodeId } from './ids.ts'
import { Node } from './node.ts'
import { Artifact, Job } from './nouns.ts'

builder.objectType(Artifact, {
  interfaces: [Node],
  description: 'A file that a job has made, or that somebody has uploaded.',
  fields: (t) => ({
    id: t.id({ resolve: (artifact) => encodeId('Artifact', artifact.id) }),
    url: t.field({
      type: 'URL',
      nullable: true,
      description: 'Where to read it, until `urlExpiresAt`, without credentials. Ask again for a fresh one.',
      resolve: (artifact, _, { app }) => app.artifactUrl(artifact).url,
    }),
    urlExpiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (artifact, _, { app }) => app.artifactUrl(artifact).expiresAt,
    }),
    mimeType: t.exposeString('mimeType'),
    sizeBytes: t.expose('sizeBytes', { type: 'ByteCount' }),
    sha256: t.exposeString('sha256'),
    width: t.exposeInt('width', { nullable: true, description: 'Pixels, as displayed; null for what is no picture.' }),
    height: t.exposeInt('height', { nullable: true }),
    job: t.field({
      type: Job,
      nullable: true,
      description: 'The job that made it; null = uploaded.',
      resolve: ({ jobId }, _, { loaders }) => (jobId === null ? null : loaders.job.load(jobId)),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
})
