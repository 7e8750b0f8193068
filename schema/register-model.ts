import type { RegisteredModel } from '../src/app/app.ts'
import { builder } from './builder.ts'
import { resultUnion } from './errors.ts'
import { Model, ModelVersion } from './nouns.ts'

const RegisterModelInput = builder.inputType('RegisterModelInput', {
  fields: (t) => ({
    name: t.string({ description: "Default: the manifest's, or one made from what the file calls itself." }),
    path: t.string({
      required: true,
      description:
        'A folder with a model.json, or a .gguf or .onnx file, below one of the model folders (HEARTH_MODEL_PATHS). Absolute, or relative to one of them.',
    }),
    task: t.string({ description: 'Must be what the model does. Default: what it does.' }),
    expectedSha256: t.string({
      description: 'Of a file its digest, of a folder its ModelVersion.sha256; anything else is refused.',
    }),
  }),
})

const RegisterModelSuccess = builder.objectRef<RegisteredModel>('RegisterModelSuccess').implement({
  fields: (t) => ({
    model: t.expose('model', { type: Model }),
    version: t.expose('version', { type: ModelVersion }),
  }),
})

builder.mutationFields((t) => ({
  registerModel: t.field({
    type: resultUnion('RegisterModel', RegisterModelSuccess, ['InvalidInput', 'NotFound', 'Conflict', 'Overloaded']),
    nullable: true,
    description:
      'What its headers say is checked before the answer. Files that take longer to read are VERIFYING then; modelEvents tells when the version is READY.',
    args: { input: t.arg({ type: RegisterModelInput, required: true }) },
    resolve: (_, { input }, { app }) =>
      app.registerModel({
        name: input.name ?? null,
        path: input.path,
        task: input.task ?? null,
        expectedSha256: input.expectedSha256 ?? null,
      }),
  }),
}))
